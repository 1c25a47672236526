// SPDX-License-Identifier: Apache-2.0

/** A user and password for Docker registries, by domain as refparse writes it. */
export interface BasicCredential {
  readonly user: string;
  readonly password: string;
}

/** A server to ask instead of a registry. */
export interface Mirror {
  /** `host[:port][/path]`. */
  readonly location: string;
  /** Plain HTTP or a certificate that nobody vouches for will do. */
  readonly insecure: boolean;
}

/** What is configured about one registry. */
export interface RegistryRule {
  readonly domain: string;
  readonly mirrors: readonly Mirror[];
  /** The registry itself may be asked over plain HTTP or with any certificate. */
  readonly insecure: boolean;
  /** Nothing may be fetched from it, mirrors included. */
  readonly blocked: boolean;
}

/** The configuration of all directories together. */
export interface Config {
  readonly dockerCredentials: ReadonlyMap<string, BasicCredential>;
  readonly registries: ReadonlyMap<string, RegistryRule>;
  /** Files with passwords that every user of the machine may read. */
  readonly exposed: readonly string[];
  readonly dataDir: string | undefined;
  /** The flavor that pods are run with. */
  readonly flavor: string | undefined;
}

/** What one file says. */
export type ConfigFile =
  | { readonly kind: 'dockerAuth'; readonly registries: readonly string[]; readonly credential: BasicCredential }
  | { readonly kind: 'paths'; readonly dataDir: string | undefined }
  | { readonly kind: 'stage1'; readonly name: string }
  | { readonly kind: 'registryMirrors'; readonly registries: readonly RegistryRule[] }
  /** Understood, and of no concern to anything rkt does. */
  | { readonly kind: 'auth' };

/** A `[[registry]]` of containers' `registries.conf`. */
export interface ContainersRule {
  /** `host[:port][/path]` of the repositories it is about, or `*.domain`. */
  readonly prefix: string;
  /** What takes the place of the prefix, `host[:port][/path]`. Undefined: nothing. */
  readonly location: string | undefined;
  readonly mirrors: readonly ContainersMirror[];
  readonly insecure: boolean;
  readonly blocked: boolean;
}

/** A mirror of a {@link ContainersRule}. */
export interface ContainersMirror extends Mirror {
  /** It is not asked what a tag means. */
  readonly digestOnly: boolean;
}
