// SPDX-License-Identifier: Apache-2.0
import type { App, ImageId, Isolator, NameValue, Port } from './image-manifest.ts';

/** appc spec 0.8.11, "Pod Manifest Schema": a volume. `tmpfs` is ours. `mode`, `uid`, `gid` only for `empty` and `tmpfs`. */
export interface Volume {
  readonly name: string;
  readonly kind: 'host' | 'empty' | 'tmpfs';
  /** Absolute host path; `host` only. */
  readonly source?: string;
  readonly readOnly?: boolean;
  readonly recursive?: boolean;
  /** Octal digits, as the spec has it: `"0755"`. */
  readonly mode?: string;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Mount {
  readonly volume: string;
  readonly path: string;
}

export interface RuntimeImage {
  readonly name?: string;
  readonly id: ImageId;
  readonly labels?: readonly NameValue[];
}

export interface RuntimeApp {
  /** An ACName, unique in the pod. */
  readonly name: string;
  readonly image: RuntimeImage;
  /** The app as it is to run: the image's section with every override applied. */
  readonly app: App;
  readonly readOnlyRootFS?: boolean;
  readonly mounts?: readonly Mount[];
  readonly annotations?: readonly NameValue[];
}

export interface ExposedPort {
  readonly name: string;
  readonly hostPort: number;
  readonly hostIP?: string;
  /** Set for a port that no image declares. */
  readonly podPort?: Port;
}

export interface PodManifest {
  readonly acVersion: string;
  readonly acKind: 'PodManifest';
  readonly apps: readonly RuntimeApp[];
  readonly volumes?: readonly Volume[];
  readonly isolators?: readonly Isolator[];
  readonly annotations?: readonly NameValue[];
  readonly ports?: readonly ExposedPort[];
  readonly userAnnotations?: Readonly<Record<string, string>>;
  readonly userLabels?: Readonly<Record<string, string>>;
}
