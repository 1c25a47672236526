// SPDX-License-Identifier: Apache-2.0

/** A name with a value; the form of labels, annotations and environment variables in appc manifests. */
export interface NameValue {
  readonly name: string;
  readonly value: string;
}

export interface EventHandler {
  readonly name: 'pre-start' | 'post-stop';
  readonly exec: readonly string[];
}
export interface MountPoint {
  readonly name: string;
  readonly path: string;
  readonly readOnly?: boolean;
}
export interface Port {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly count: number;
  readonly socketActivated: boolean;
}
export interface Isolator {
  readonly name: string;
  readonly value: unknown;
}

/** appc spec 0.8.11, "aci": the app section. */
export interface App {
  readonly exec: readonly string[];
  readonly user: string;
  readonly group: string;
  readonly supplementaryGIDs?: readonly number[];
  readonly eventHandlers?: readonly EventHandler[];
  readonly workingDirectory?: string;
  readonly environment?: readonly NameValue[];
  readonly mountPoints?: readonly MountPoint[];
  readonly ports?: readonly Port[];
  readonly isolators?: readonly Isolator[];
  readonly userAnnotations?: Readonly<Record<string, string>>;
  readonly userLabels?: Readonly<Record<string, string>>;
}

export interface Dependency {
  readonly imageName: string;
  readonly imageID?: string;
  readonly labels?: readonly NameValue[];
  readonly size?: number;
}

/** appc spec 0.8.11, "Image Manifest Schema". Property order is the order of serialisation. */
export interface ImageManifest {
  readonly acKind: 'ImageManifest';
  readonly acVersion: string;
  readonly name: string;
  readonly labels?: readonly NameValue[];
  readonly app?: App;
  readonly annotations?: readonly NameValue[];
  readonly dependencies?: readonly Dependency[];
  readonly pathWhitelist?: readonly string[];
}

/** `sha512-` and 128 hex digits: SHA-512 of the uncompressed ACI. */
export type ImageId = `sha512-${string}`;
