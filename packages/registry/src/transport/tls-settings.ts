// SPDX-License-Identifier: Apache-2.0

/** What TLS connections to one origin use besides what every connection uses. All PEM. */
export interface TlsSettings {
  /** Certificate authorities, added to those that are trusted anyway. */
  readonly ca?: readonly string[];
  /** What this client shows to the origin, its chain included; goes with `key`. */
  readonly cert?: string;
  /** The private key of `cert`, not encrypted. */
  readonly key?: string;
}

/** The settings for an origin (`https://registry.example:5000`), or undefined where it has none. */
export type TlsLookup = (origin: string) => TlsSettings | undefined | Promise<TlsSettings | undefined>;
