// SPDX-License-Identifier: Apache-2.0
import type { PodManifest, RuntimeApp } from '@rkt/appc';
import type { Host, ProcessIdentity } from '../host/index.ts';
import type { InsecureOptions, OciMount } from '../oci-spec/index.ts';
import type { Listeners, MonitorOptions, PodId, StdioMode } from '../runtime.ts';

/** A pod as a flavor sees it: a directory, and namespaces that live. */
export interface PodContext {
  readonly id: PodId;
  readonly dir: string;
  readonly hostname: string;
  /** Keeps the pod's mount, IPC, UTS and network namespaces. */
  readonly holder: ProcessIdentity;
  readonly hostNetwork: boolean;
  readonly insecure: InsecureOptions;
}

export interface AppContext {
  readonly pod: PodContext;
  readonly manifest: PodManifest;
  readonly app: RuntimeApp;
  /** Volumes and name files, sources on the host. */
  readonly mounts: readonly OciMount[];
}

export interface StartRequest {
  readonly stdio: StdioMode;
  /** To be inherited by whatever lives as long as the app: the pod counts as running for as long as it is open. */
  readonly lockFd: number | undefined;
  /** Sockets the app is to find as descriptors 3 and so on. @default none */
  readonly listeners?: Listeners | undefined;
  /** The app is to go on without us: a monitor keeps its output and its status. Absent: it runs in our foreground. */
  readonly monitor?: MonitorOptions | undefined;
  /** It has been started before, and what its monitor keeps of its output goes on. @default false */
  readonly again?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface StartedApp {
  readonly pid: number;
  /** What waits for the app: the runtime in our foreground, or the monitor. */
  readonly monitor: { readonly pid: number };
  /**
   * The app's status, or the reason why it could not be executed after all. Absent where a monitor keeps it on disk.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_EXEC_FORMAT and its like
   */
  readonly exit?: Promise<number>;
  /** Of an app on a terminal: our own has, or may have, another size, which the app's is to have, too. */
  readonly resize?: () => void;
}

export interface EnterRequest {
  /** The app's first process. */
  readonly process: ProcessIdentity;
  readonly command: readonly string[];
  readonly tty: boolean;
  /** Without our standard streams; killed when it is given up. @default false */
  readonly quiet?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An app of a pod that may have lost its manifest, its sandbox, or both. */
export interface AppRemains {
  readonly podId: PodId;
  readonly dir: string;
  readonly app: string;
  /** A process in the pod's mount namespace, when one still lives. */
  readonly inside: ProcessIdentity | undefined;
}

/** A way of isolating apps. */
export interface Flavor {
  readonly name: string;
  readonly interfaceVersion: 1;
  /** Explains instead of throwing. */
  probe(host: Host): Promise<{ readonly usable: true } | { readonly usable: false; readonly reason: string }>;
  /** Called in the pod's new mount namespace, synchronously, before anything is mounted there. */
  prepareNamespace(host: Host, syscalls: { unmount(target: string): void }): void;
  start(host: Host, app: AppContext, request: StartRequest): Promise<StartedApp>;
  enter(host: Host, app: AppRemains, request: EnterRequest): Promise<number>;
  /** Ends whatever is left of an app and what the flavor keeps about it. Idempotent; succeeds on half-made pods. */
  remove(host: Host, app: AppRemains): Promise<void>;
  /** Removes what processes that were killed left of no pod. Part of every collection. */
  sweep?(host: Host): Promise<void>;
}
