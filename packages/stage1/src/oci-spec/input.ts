// SPDX-License-Identifier: Apache-2.0
import type { App, NameValue } from '@rkt/appc';
import type { OciMount } from './spec.ts';
import type { ResolvedUser } from './user.ts';

/** A namespace to join: a path such as `/proc/123/ns/net` or a file it is bound to. */
export interface NamespacePath {
  readonly path: string;
}

/** Consecutive ids of users, and the same ones of groups, as the host counts them. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

export interface PodNamespaces {
  readonly network: NamespacePath | 'host' | 'new';
  readonly ipc: NamespacePath | 'host' | 'new';
  readonly uts: NamespacePath | 'host' | 'new';
  readonly pid: NamespacePath | 'new';
  /** @default the host's */
  readonly user?: UserNamespace;
}

/** Whose ids, from 0 on, are those of the host's range. */
export interface UserNamespace extends NamespacePath {
  readonly users: IdRange;
}

export interface ResourceLimit {
  readonly soft: number;
  readonly hard: number;
}

/** What the caller itself may use; nothing beyond it is asked of the kernel, which would refuse. */
export interface HostLimits {
  readonly nofile: ResourceLimit;
  readonly nproc?: ResourceLimit;
  /** What arguments and environment may take together: execve(2), "Limits on size". Bytes. @default 128 Ki */
  readonly argumentBytes?: number;
}

/** In characters. */
export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** Protections to leave out, as `--insecure-options` names them. */
export interface InsecureOptions {
  readonly capabilities?: boolean;
  readonly paths?: boolean;
  readonly seccomp?: boolean;
}

export interface OciSpecInput {
  /** The app section with every override applied. */
  readonly app: App;
  readonly appName: string;
  readonly podId: string;
  readonly rootfsPath: string;
  readonly readOnlyRootfs: boolean;
  /** Written only when the pod's UTS namespace is not the host's. */
  readonly hostname?: string;
  readonly terminal: boolean;
  /** What the app's terminal is to begin with. @default what the runtime makes of it */
  readonly terminalSize?: TerminalSize;
  readonly namespaces: PodNamespaces;
  /** Added after the standard mounts; one for /dev/shm, /dev/mqueue, /sys or /sys/fs/cgroup takes the standard one's place. */
  readonly mounts: readonly OciMount[];
  readonly cgroupsPath: string;
  readonly user: ResolvedUser;
  /** As `appEnvironment` returns it. */
  readonly environment: readonly NameValue[];
  readonly hostLimits: HostLimits;
  /** The caller's own bounding set, `CAP_…` names: nothing else is asked for. @default every capability of Linux 6.18 */
  readonly hostCapabilities?: readonly string[];
  /** Data for whoever lists containers; keys a runtime would act upon (`run.oci.…` and the like) are left out. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly insecure?: InsecureOptions;
  /** As `process.arch` has it. A seccomp profile needs a known one. */
  readonly architecture: 'x64' | 'arm64';
}
