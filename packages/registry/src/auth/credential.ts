// SPDX-License-Identifier: Apache-2.0
import type { Repository } from '@rkt/refparse';
import type { AbortOptions } from '../image/image.ts';
import type { Secrets } from '../protocol/redact.ts';

/** A secret for one registry. */
export type Credential = (
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** An OAuth 2 refresh token, exchanged for bearer tokens; `username` is for servers that know only Basic. */
  | { readonly kind: 'identity-token'; readonly token: string; readonly username?: string }
  /** A ready bearer token. */
  | { readonly kind: 'bearer'; readonly token: string }
) & {
  /** Where it was found, for messages: a file, or a credential helper and the file that names it. */
  readonly source?: string;
};

/** Where credentials come from. Undefined means: ask as anybody. */
export interface Keychain {
  /**
   * The credential for a repository. `domain` is that of the host spoken to: a mirror is asked for with the mirror's
   * own host and port, Docker Hub as `docker.io`.
   */
  resolve(target: Repository, options?: AbortOptions): Promise<Credential | undefined>;
}

/** Has no credentials. */
export const anonymous: Keychain = { resolve: () => Promise.resolve(undefined) };

/** The first credential any of the keychains has, in order. An error of one ends the search. */
export function chainKeychains(...keychains: readonly Keychain[]): Keychain {
  return {
    resolve: async (target, options) => {
      for (const keychain of keychains) {
        const found = await keychain.resolve(target, options);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

/** Credentials held in memory, by exact domain (`quay.io`, `localhost:5000`, `docker.io`). */
export function staticKeychain(entries: Readonly<Record<string, Credential>>): Keychain {
  const known = new Map(Object.entries(entries));
  return { resolve: (target) => Promise.resolve(known.get(target.domain)) };
}

/** What must not be shown of a credential and of the `Authorization` it was made into. */
export function secretsOf(credential: Credential | undefined, authorization = ''): Secrets {
  const token = /^Bearer (.+)$/.exec(authorization)?.[1];
  const secret = credential?.kind === 'basic' ? credential.password : credential?.token;
  const plain = [token ?? '', secret ?? ''].filter((text) => text !== '');
  return { plain, encoded: loginsOf(credential, secret) };
}

function loginsOf(credential: Credential | undefined, secret: string | undefined): readonly string[] {
  if (credential === undefined || credential.kind === 'bearer' || secret === '') return [];
  return [Buffer.from(`${credential.username ?? ''}:${secret}`).toString('base64')];
}

/** ` from FILE`, for messages; nothing where it is not known. */
export function from(credential: Credential): string {
  return credential.source === undefined ? '' : ` from ${credential.source}`;
}

/** The context of an error about a credential. */
export function sourceOf(credential: Credential | undefined): { readonly credentialSource?: string } {
  return credential?.source === undefined ? {} : { credentialSource: credential.source };
}
