// SPDX-License-Identifier: Apache-2.0
import type { PodManifest, RuntimeApp } from '@rkt/appc';
import type { Host, NamespaceKind, ProcessIdentity } from '../host/index.ts';
import type { IdRange, InsecureOptions, OciMount } from '../oci-spec/index.ts';
import type { Listeners, MonitorOptions, PodId, SandboxSpec, StdioMode } from '../runtime.ts';
import type { ProcessChanges } from './process-changes.ts';

/** A pod as a flavor sees it: a directory, and namespaces that live. */
export interface PodContext {
  readonly id: PodId;
  readonly dir: string;
  readonly hostname: string;
  /** Keeps the pod's mount, IPC, UTS and network namespaces. */
  readonly holder: ProcessIdentity;
  /**
   * The first process of the PID namespace apps are to join; it is in the pod's user namespace. Absent: an app is the first
   * process of one of its own, as far as the flavor makes any. Only for flavors whose traits say so.
   */
  readonly init?: ProcessIdentity;
  readonly hostNetwork: boolean;
  readonly insecure: InsecureOptions;
  /**
   * Whom of the host the pod's users are: those of a user namespace the holder is in, too. Absent: the very same. Only for
   * flavors whose traits say so.
   */
  readonly users?: IdRange;
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
  /** The app is in the foreground of our own terminal, whose signals reach it without us. */
  readonly sharesTerminal?: boolean;
  /** Of an app on a terminal: our own has, or may have, another size, which the app's is to have, too. */
  readonly resize?: () => void;
}

export interface EnterRequest {
  /** The app's first process. */
  readonly process: ProcessIdentity;
  readonly command: readonly string[];
  /** None, unless the flavor's traits say that it heeds them. */
  readonly changes: ProcessChanges;
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

/** A program of the host that pods of a flavor are run with. */
export interface HostProgram {
  /** What it is there for: `runtime`, `monitor`. */
  readonly name: string;
  /** Absent: it is not there. */
  readonly path?: string;
}

/** What whoever makes a pod must know about a flavor. */
export interface FlavorTraits {
  /** Namespaces a pod has of its own beside the mount namespace; the others are the host's. */
  readonly namespaces: readonly Exclude<NamespaceKind, 'mnt'>[];
  /** Apps can be confined in a user namespace that the sandbox has; pods that ask for one are refused otherwise. */
  readonly userNamespaces: boolean;
  /** Apps can join a PID namespace that the sandbox has; pods that ask for one are refused otherwise. @default false */
  readonly pidNamespaces?: boolean;
  /** `enter` heeds `changes`; who asks for any is refused otherwise. @default false */
  readonly enterChanges?: boolean;
  readonly apps: 'one' | 'several';
  /** Whether apps can be left to a monitor. */
  readonly detaches: boolean;
  /** Never the default: it isolates less than who names no flavor expects. */
  readonly onlyByName: boolean;
}

/**
 * A way of isolating apps. The contract in full: docs/contracts/flavor-interface.md; whether an implementation keeps it:
 * `flavorContract` of `@rkt/stage1/testing`.
 */
export interface Flavor {
  /** As `--flavor` has it: a-z, 0-9 and inner `-`. */
  readonly name: string;
  readonly interfaceVersion: 1;
  readonly traits: FlavorTraits;
  /** Explains instead of throwing. */
  probe(host: Host): Promise<{ readonly usable: true } | { readonly usable: false; readonly reason: string }>;
  /** What it works with, as far as that is known without trying: nothing is executed and nothing written. @default none */
  programs?(host: Host): readonly HostProgram[];
  /**
   * What the pod asks for that this flavor leaves out, a sentence each, for whoever runs it. Pure. What the traits say is
   * not to be said again.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_FLAVOR_UNABLE for what must not be left out
   */
  review?(manifest: PodManifest, sandbox: SandboxSpec): readonly string[];
  /** Called in the pod's new mount namespace, synchronously, before anything is mounted there. */
  prepareNamespace(host: Host, syscalls: { unmount(target: string): void }): void;
  start(host: Host, app: AppContext, request: StartRequest): Promise<StartedApp>;
  enter(host: Host, app: AppRemains, request: EnterRequest): Promise<number>;
  /**
   * Pids of what runs of an app, found without any record. Quick: it is asked of every pod that nobody watches whenever pods
   * are listed. Without it an app whose first process is not on record is not known to run.
   */
  processes?(host: Host, app: AppRemains): readonly number[];
  /** Ends whatever is left of an app and what the flavor keeps about it. Idempotent; succeeds on half-made pods. */
  remove(host: Host, app: AppRemains): Promise<void>;
  /** Removes what processes that were killed left of no pod. Part of every collection. */
  sweep?(host: Host): Promise<void>;
}
