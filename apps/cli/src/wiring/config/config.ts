// SPDX-License-Identifier: Apache-2.0

/** A user and password. */
export interface BasicCredential {
  readonly user: string;
  readonly password: string;
}

/** What servers of ACIs are told, in the three forms the original has. */
export type AuthCredential =
  | ({ readonly type: 'basic' } & BasicCredential)
  | { readonly type: 'oauth'; readonly token: string }
  | {
      readonly type: 'aws';
      readonly accessKeyID: string;
      readonly secretAccessKey: string;
      readonly awsRegion: string | undefined;
    };

/** What pods are run with: the name is that of a flavor, the rest was the original's and changes nothing. */
export interface Stage1Setting {
  readonly name: string;
  readonly version: string | undefined;
  readonly location: string | undefined;
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

/** A setting and the file that says it. */
export type Sourced<T> = T & { readonly source: string };

/** The configuration of all directories together. */
export interface Config {
  /** By domain. For servers of ACIs alone: registries never see them. */
  readonly auth: ReadonlyMap<string, Sourced<{ readonly credential: AuthCredential }>>;
  /** By domain as refparse writes it. */
  readonly dockerAuth: ReadonlyMap<string, Sourced<{ readonly credential: BasicCredential }>>;
  /** By domain as refparse writes it. */
  readonly registries: ReadonlyMap<string, Sourced<{ readonly rule: RegistryRule }>>;
  readonly dataDir: Sourced<{ readonly path: string }> | undefined;
  /** Where the original looked for stage1 images; changes nothing. */
  readonly stage1Images: Sourced<{ readonly path: string }> | undefined;
  readonly stage1: Sourced<Stage1Setting> | undefined;
  /** The files with passwords. */
  readonly passwordFiles: readonly string[];
}

/** What one file says. */
export type ConfigFile =
  | { readonly kind: 'auth'; readonly domains: readonly string[]; readonly credential: AuthCredential }
  | { readonly kind: 'dockerAuth'; readonly registries: readonly string[]; readonly credential: BasicCredential }
  | { readonly kind: 'paths'; readonly dataDir: string | undefined; readonly stage1Images: string | undefined }
  | { readonly kind: 'stage1'; readonly stage1: Stage1Setting }
  | { readonly kind: 'registryMirrors'; readonly registries: readonly RegistryRule[] };

/** A `[[registry]]` of containers' `registries.conf`. */
export interface ContainersRule {
  /** The file it was read from. */
  readonly source: string;
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
