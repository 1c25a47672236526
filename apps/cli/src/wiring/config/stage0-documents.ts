// SPDX-License-Identifier: Apache-2.0
import type { AuthCredential, BasicCredential, Config } from './config.ts';
import { REDACTED, redactUrl } from './redact.ts';

/** A configuration file as it would say one thing alone, and where that is said. */
export type Stage0Document = { readonly rktVersion: 'v1'; readonly rktKind: string } & Readonly<
  Record<string, unknown>
>;

/**
 * The merged configuration as the documents it could be read from: one per domain, and one each for paths and stage1. The
 * form is that of the original's `rkt config`, with `sources` added and the secrets taken out. By kind, then by domain.
 */
export function stage0Documents(config: Config): readonly Stage0Document[] {
  return [
    ...byDomain(config.auth, (domain, { credential, source }) =>
      document('auth', { domains: [domain], ...withoutSecrets(credential) }, [source]),
    ),
    ...byDomain(config.dockerAuth, (domain, { credential, source }) =>
      document('dockerAuth', { registries: [domain], credentials: withoutPassword(credential) }, [source]),
    ),
    ...pathsDocument(config),
    ...stage1Document(config),
    ...byDomain(config.registries, (_, { rule, source }) =>
      document('registryMirrors', { registries: [rule] }, [source]),
    ),
  ];
}

function document(kind: string, says: object, sources: readonly string[]): Stage0Document {
  return { rktVersion: 'v1', rktKind: kind, ...says, sources };
}

function byDomain<T>(
  settings: ReadonlyMap<string, T>,
  show: (domain: string, setting: T) => Stage0Document,
): readonly Stage0Document[] {
  return [...settings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([domain, setting]) => show(domain, setting));
}

function withoutSecrets(credential: AuthCredential): object {
  const { type } = credential;
  switch (type) {
    case 'basic':
      return { type, credentials: withoutPassword(credential) };
    case 'oauth':
      return { type, credentials: { token: REDACTED } };
    case 'aws': {
      const { accessKeyID, awsRegion } = credential;
      return { type, credentials: { accessKeyID, secretAccessKey: REDACTED, awsRegion } };
    }
  }
}

function withoutPassword({ user }: BasicCredential): object {
  return { user, password: REDACTED };
}

function pathsDocument({ dataDir, stage1Images }: Config): readonly Stage0Document[] {
  const said = [dataDir, stage1Images].filter((setting) => setting !== undefined);
  if (said.length === 0) return [];
  const sources = [...new Set(said.map(({ source }) => source))];
  return [document('paths', { data: dataDir?.path, 'stage1-images': stage1Images?.path }, sources)];
}

function stage1Document({ stage1 }: Config): readonly Stage0Document[] {
  if (stage1 === undefined) return [];
  const { name, version, location, source } = stage1;
  const shown = location === undefined ? undefined : redactUrl(location);
  return [document('stage1', { name, version, location: shown }, [source])];
}
