// SPDX-License-Identifier: Apache-2.0
import type { NameValue, PodManifest, RuntimeApp, Volume } from '@rkt/appc';
import type { FlavorTraits, HostProgram } from './flavors/flavor.ts';
import type { Health } from './health/health.ts';
import type { LogEntry, OutputChunk } from './monitor/index.ts';
import type { IdRange, InsecureOptions } from './oci-spec/index.ts';

export interface AbortOptions {
  readonly signal?: AbortSignal;
}

/** A root filesystem to run on, as `@rkt/store` renders it: EROFS metadata over layer tars, or a directory. Never written to. */
export type RootfsSource =
  | { readonly type: 'erofs'; readonly source: string; readonly devices: readonly string[] }
  | { readonly type: 'directory'; readonly path: string };

/** 8-4-4-4-12 lower-case hex. */
export type PodId = string;

export type PodState =
  | 'embryo'
  | 'preparing'
  | 'aborted prepare'
  | 'prepared'
  | 'running'
  /** Its apps run, and nobody watches them: whoever did was killed. */
  | 'orphaned'
  | 'deleting'
  | 'exited deleting'
  | 'exited'
  | 'exited garbage'
  | 'garbage';

export interface NetworkRequest {
  /** `default`, `default-restricted`, `all`, `host`, `none`, or the name of a configured network. */
  readonly name: string;
  /** CNI_ARGS: NAME=value pairs separated by `;`, e.g. `IP=172.16.28.9`. Not of `all`, `host` and `none`. */
  readonly args?: string;
}

export interface DnsOptions {
  /**
   * `host`: the host's resolv.conf; `none`: no resolv.conf of ours; absent: what is stated here, else what the network says,
   * else the host's without name servers on its loopback. Stated without name servers, it has those of the others.
   */
  readonly mode?: 'host' | 'none';
  readonly nameservers?: readonly string[];
  readonly search?: readonly string[];
  readonly options?: readonly string[];
  readonly domain?: string;
}

export interface SandboxSpec {
  readonly networks: readonly NetworkRequest[];
  readonly hostname?: string;
  readonly dns?: DnsOptions;
  /** Further /etc/hosts lines; `host` takes the host's file. */
  readonly hostsEntries?: readonly { readonly ip: string; readonly names: readonly string[] }[] | 'host';
  /** @default the first usable flavor */
  readonly flavor?: string;
  /**
   * The pod has a user namespace: its users 0 to 65535 are ones of the host that nobody else has and that may do nothing
   * there. @default false
   */
  readonly privateUsers?: boolean;
  /**
   * Whose PID namespace an app is in: one of its own, or that of the pod, where apps see each other's processes, and none of
   * them is the first. @default 'app'
   */
  readonly pid?: 'app' | 'pod';
  /** Protections to leave out. @default none */
  readonly insecure?: InsecureOptions;
}

/** How an app's standard streams are connected. */
export type StdioMode =
  /** The caller's own file descriptors 0, 1, 2 (no stdin unless `interactive`). */
  'inherit' | 'interactive' | 'tty';

export interface PodApp {
  readonly name: string;
  readonly imageId: string;
  readonly imageName?: string;
  readonly state: 'unknown' | 'created' | 'running' | 'exited';
  /** Milliseconds since the epoch. */
  readonly createdAt?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  /**
   * The kernel killed something of the app for want of memory. In a foreground that is known of apps that were killed, or have a
   * limit and failed.
   */
  readonly outOfMemory?: boolean;
  /** How often it has been started again. @default 0 */
  readonly restarts?: number;
  /** Of these, how often since a run of it lasted ten seconds; the last run counts, too. @default 0 */
  readonly restartsInARow?: number;
  /** Of an app that runs and is checked. */
  readonly health?: Health;
  /** What whoever attaches to a detached app finds. */
  readonly streams?: { readonly stdin: boolean; readonly terminal: boolean };
  /** Somebody stopped it, so that it is not to be started again. */
  readonly stopRequested?: true;
}

export interface PodNetwork {
  readonly netName: string;
  readonly ifName: string;
  readonly ip?: string;
  readonly ip6?: string;
}

/** A port of the host that leads to one of the pod. */
export interface PodPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** 1-65535, as is `podPort`; of a request also 0, for any that is free. */
  readonly hostPort: number;
  readonly podPort: number;
  /** An address of the host, or the wildcard of a family; every address of both families when absent. */
  readonly hostIP?: string;
}

/** A pod as it stands on disk right now. */
export interface Pod {
  readonly id: PodId;
  readonly state: PodState;
  readonly dir: string;
  readonly manifest: PodManifest | undefined;
  readonly apps: readonly PodApp[];
  readonly networks: readonly PodNetwork[];
  /** Those that are forwarded while the pod runs, as they were chosen where the choice was left to us. */
  readonly ports: readonly PodPort[];
  readonly createdAt: number;
  readonly startedAt?: number;
  /** The pid, seen from the host, of the pod's first process while it runs. */
  readonly pid?: number;
  readonly flavor?: string;
  /** Whom of the host its users are, from its first run until it is removed; absent: the very same. */
  readonly users?: IdRange;
}

/** What a flavor has to say about a pod before there is one. */
export interface PodReview {
  readonly manifest: PodManifest;
  readonly sandbox: SandboxSpec;
  /** @default false */
  readonly mutable?: boolean | undefined;
}

export interface PrepareOptions extends AbortOptions {
  readonly manifest: PodManifest;
  /** A root filesystem for every app of the manifest, by app name. */
  readonly rootfs: Readonly<Record<string, RootfsSource>>;
  readonly sandbox: SandboxSpec;
  /** The pod is removed when it has ended, so nothing of it need survive a power cut. @default false */
  readonly ephemeral?: boolean;
  /** Apps may be defined and removed while the sandbox lives; there need be none to begin with. @default false */
  readonly mutable?: boolean;
  /**
   * Called with the pod's directory before anything refers to the images, so that the caller can bind a lease to it.
   */
  readonly onDirectory?: (dir: string) => Promise<void>;
}

export interface CreateSandboxOptions extends AbortOptions {
  /** Takes the place of what the pod was prepared with, property by property. @default nothing */
  readonly spec?: Partial<SandboxSpec>;
}

/** An app for a pod that is mutable. */
export interface AppDefinition {
  readonly app: RuntimeApp;
  readonly rootfs: RootfsSource;
  /** Volumes the pod does not have yet, for this app and those defined after it. */
  readonly volumes?: readonly Volume[];
}

/** How an app is watched that goes on without the process that started it. */
export interface MonitorOptions {
  /** What the log file may hold, in bytes of the file; then it is begun anew. @default 64 MiB */
  readonly maxLogBytes?: number;
  /**
   * Executed on the host, the path of the executable first, when the app has ended and its status is on disk, or when it
   * could not be started. Its output goes nowhere, its environment is PATH and little more.
   */
  readonly onExit?: readonly string[];
}

export interface DetachOptions {
  /**
   * Whether the sandbox is to stay when its apps have ended, so that they can be started again and, in a mutable pod, others
   * be added: a `sleep` keeps it, until `stopSandbox` or, unless the pod is mutable, `releaseEnded` of the last app.
   * @default false
   */
  readonly keepSandbox?: boolean;
}

export interface ReleaseOptions extends AbortOptions {
  /** An app that has ended and will not be started again. Of a sandbox that is kept, this has to be said of every app. */
  readonly app?: string;
}

export interface EndLeftoversOptions extends AbortOptions {
  /** An app whose first process has ended. */
  readonly app: string;
}

export interface Listeners {
  readonly fds: readonly number[];
  /** One for each, in their order. */
  readonly names?: readonly string[];
}

export interface StartAppOptions extends AbortOptions {
  readonly stdio: StdioMode;
  /**
   * Sockets that are listened on, descriptors of ours: the app has them as 3 and so on, and LISTEN_FDS, LISTEN_PID and
   * LISTEN_FDNAMES in its environment (sd_listen_fds(3)). Of an app in our foreground alone. @default none
   */
  readonly listeners?: Listeners;
  /**
   * Executed on the host, the path of the executable first, as often as the health check of the app's image says, if it has
   * one: what it should do is `checkHealth`. Status 3 says that the app has ended. @default the app is not checked
   */
  readonly healthCheck?: readonly string[];
  /** The app has ended by itself and is started once more: its log goes on, and the restart is counted. @default false */
  readonly again?: boolean;
  /**
   * Starts the app below a monitor (conmon) that keeps its output and its status; of `stdio`, `inherit` then means no
   * standard input, `interactive` one and `tty` a terminal, for whoever attaches. Absent: the app runs in our foreground.
   */
  readonly monitor?: MonitorOptions;
}

export interface WaitOptions extends AbortOptions {
  /** May be left out when the pod has one app. */
  readonly app?: string | undefined;
}

export interface WaitPodOptions extends AbortOptions {
  /** Asked of the pod as it stands, at once and about every 50 ms. */
  readonly until: (pod: Pod) => boolean;
}

export interface SignalOptions {
  readonly name: NodeJS.Signals;
  /** May be left out when the pod has one app. */
  readonly app?: string | undefined;
}

export interface AttachOptions {
  /** May be left out when the pod has one app. */
  readonly app?: string | undefined;
}

/** The streams of a detached app. Several may be attached at once: all get its output. */
export interface Attachment {
  /** What the app writes from now on, until it ends or `close`. To be read once. */
  readonly output: AsyncIterable<OutputChunk>;
  readonly hasStdin: boolean;
  readonly hasTerminal: boolean;
  /** To the app's standard input, or terminal. Its end is not passed on: others may attach. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Gives the app's terminal the size of ours; with `redraw` so that full-screen programs draw themselves anew. Nothing
   * happens where either has no terminal.
   */
  fitTerminal(options?: { readonly redraw?: boolean }): void;
  /** Leaves; the app goes on. Idempotent. */
  close(): void;
}

export interface LogOptions extends AbortOptions {
  /** May be left out when the pod has one app. */
  readonly app?: string | undefined;
  /** Go on with what is still to come, until the app ends. @default false */
  readonly follow?: boolean;
  /** So many of the last lines. @default all */
  readonly tail?: number | undefined;
  /** Milliseconds since the epoch. @default everything */
  readonly since?: number | undefined;
}

/** A started app. Its exit is learned from the monitor's record on disk, so it survives the process that started it. */
export interface RunningApp {
  readonly pid: number;
  /** Resolves to the app's status: 0-255, or 128 + signal number. */
  wait(options?: AbortOptions): Promise<number>;
  /** Whether the kernel killed something of it for want of memory. Known when `wait` has resolved. */
  wasOutOfMemory(): boolean;
  signal(signal: NodeJS.Signals): void;
}

export interface StopOptions extends AbortOptions {
  /** SIGKILL at once. */
  readonly force?: boolean;
  /** How long the stop signal may take before SIGKILL. @default 10_000 ms */
  readonly timeoutMs?: number;
}

export interface EnterOptions extends AbortOptions {
  /** May be left out when the pod has one app. */
  readonly app?: string;
  /** @default ['/bin/sh'] (or /bin/bash where the image has it) */
  readonly command?: readonly string[];
  /** A name or a number, by the app's own /etc/passwd. @default the app's user and groups */
  readonly user?: string;
  /** Of `user`. @default the user's primary group, and the others it is in */
  readonly group?: string;
  /** An absolute path. @default the app's */
  readonly workingDirectory?: string;
  /** Besides the app's variables, and over them. @default none */
  readonly environment?: readonly NameValue[];
  readonly tty: boolean;
  /** Without our standard streams; killed when it is given up. @default false */
  readonly quiet?: boolean;
}

export interface CheckHealthOptions extends AbortOptions {
  /** May be left out when the pod has one app. */
  readonly app?: string | undefined;
}

export interface OpenAppFilesOptions extends AbortOptions {
  /** May be left out when the pod has one app. */
  readonly app?: string | undefined;
}

/** What an app has made of its image. While it is open, nobody runs, moves or removes the pod; it goes with its process. */
export interface AppFiles extends Disposable {
  readonly app: string;
  readonly imageId: string;
  /**
   * The upper directory of an overlay whose lower one is the image: what the app has written, whiteouts of what it has removed.
   * What was in volumes is not there.
   */
  readonly upperDir: string;
  /** Whom of the host the owners of its files are; undefined: the very same. */
  readonly users: IdRange | undefined;
}

export interface PodGcOptions extends AbortOptions {
  /** Exited pods are removed when they have been garbage for this long. @default 30 min */
  readonly graceMs?: number;
  /** Prepared pods that never ran are removed after this long. @default 24 h */
  readonly expirePreparedMs?: number;
  readonly markOnly?: boolean;
}

export type GcEvent =
  | { readonly kind: 'marked'; readonly id: PodId; readonly to: 'exited-garbage' | 'garbage' }
  | { readonly kind: 'removed'; readonly id: PodId }
  | { readonly kind: 'kept'; readonly id: PodId; readonly reason: 'grace-period' | 'running' }
  | { readonly kind: 'failed'; readonly id: PodId; readonly error: Error };

export interface FlavorDescription {
  readonly name: string;
  readonly programs: readonly HostProgram[];
}

/**
 * Pods on one data directory. Every primitive is idempotent and leaves its state on disk; any process may carry on where
 * another stopped. `run` at the command line is prepare + createSandbox + addApp + startApp + wait + stopSandbox.
 */
export interface Runtime {
  /** Of the flavor of this name, or of the one that pods have without a name. Throws FLAVOR_NOT_FOUND. */
  flavorTraits(name: string | undefined): FlavorTraits;
  /** The same flavor's name, and what programs of this host it works with. Nothing is executed. Throws FLAVOR_NOT_FOUND. */
  describeFlavor(name: string | undefined): FlavorDescription;
  /**
   * What the flavor of a pod leaves out of what is asked for, a sentence each. Throws FLAVOR_UNABLE for what the flavor
   * cannot do, as `prepare` does, and FLAVOR_NOT_FOUND.
   */
  review(pod: PodReview): readonly string[];
  /** embryo -> preparing -> prepared. The pod keeps no process. */
  prepare(options: PrepareOptions): Promise<Pod>;
  /** prepared -> running: namespaces, networks, cgroup parent. Holds the pod's lock until the sandbox ends. */
  createSandbox(id: PodId, options?: CreateSandboxOptions): Promise<Pod>;
  /**
   * Resolves when the sandbox that this process made has ended, also by another process that stopped it. `stopSandbox` is
   * still to be called. Throws POD_NOT_RUNNING for a sandbox of another process.
   */
  waitSandbox(id: PodId, options?: AbortOptions): Promise<void>;
  /**
   * Puts an app into the manifest of a mutable pod, to be added then; nothing changes if it is there already just like
   * that. Whatever keeps its image must do so before. Throws POD_IMMUTABLE, MANIFEST_INVALID, VOLUME_NOT_FOUND.
   */
  defineApp(id: PodId, definition: AppDefinition, options?: AbortOptions): Promise<void>;
  /** Mounts root filesystem and volumes in the pod's own mount namespace and writes the runtime bundle. */
  addApp(id: PodId, app: string, options?: AbortOptions): Promise<void>;
  startApp(id: PodId, app: string, options: StartAppOptions): Promise<RunningApp>;
  stopApp(id: PodId, app: string, options?: StopOptions): Promise<void>;
  /** Undoes `addApp`, and in a mutable pod `defineApp`: what the app has written and its status are gone then. */
  removeApp(id: PodId, app: string, options?: AbortOptions): Promise<void>;
  /** Stops what still runs, releases networks, namespaces and cgroups; the pod is exited afterwards. */
  stopSandbox(id: PodId, options?: StopOptions): Promise<void>;
  /**
   * Leaves a sandbox of this process to the monitors of its apps: the pod goes on when the process ends. Apps that were
   * started without one keep running, too, but nobody keeps their status.
   */
  detach(id: PodId, options?: DetachOptions): Promise<void>;
  /**
   * Ends what an app has left running whose first process has ended: in a PID namespace of the pod, and where whoever started
   * the app does not see its end, as with a monitor, nobody else does. Of an app that runs nothing is ended. What does not end
   * within five seconds is ERR_RKT_STAGE1_CLEANUP_FAILED.
   */
  endLeftovers(id: PodId, options: EndLeftoversOptions): Promise<void>;
  /** Releases networks, namespaces and cgroups of a pod whose apps have all ended. Resolves to false while it runs. */
  releaseEnded(id: PodId, options?: ReleaseOptions): Promise<boolean>;
  /** The status of an app, whoever started it. Throws STATUS_UNKNOWN when nobody saw it end, POD_NOT_RUNNING. */
  waitApp(id: PodId, options?: WaitOptions): Promise<number>;
  /** The pod as it is when something has become true of it, whoever runs it. Throws POD_NOT_FOUND when it is gone. */
  waitPod(id: PodId, options: WaitPodOptions): Promise<Pod>;
  /** To the first process of an app. Throws APP_NOT_RUNNING. */
  signalApp(id: PodId, options: SignalOptions): Promise<void>;
  /** Throws APP_NOT_RUNNING, APP_NOT_DETACHED. */
  attach(id: PodId, options?: AttachOptions): Promise<Attachment>;
  /** What a monitored app has written, oldest first. Throws LOG_NOT_FOUND. */
  logs(id: PodId, options?: LogOptions): AsyncIterable<LogEntry>;
  enter(id: PodId, options: EnterOptions): Promise<number>;
  /** Checks an app once, and notes it for `inspect`; undefined where its image has no health check. Throws APP_NOT_RUNNING. */
  checkHealth(id: PodId, options?: CheckHealthOptions): Promise<Health | undefined>;
  /** Of a pod that has ended. Throws POD_RUNNING, also of an orphaned one, APP_NOT_ADDED of one that has not run. */
  openAppFiles(id: PodId, options?: OpenAppFilesOptions): Promise<AppFiles>;
  /** A UUID or a unique prefix of one. Throws POD_NOT_FOUND, AMBIGUOUS_POD_ID. */
  resolve(prefix: string): Promise<PodId>;
  inspect(id: PodId): Promise<Pod>;
  list(): Promise<readonly Pod[]>;
  /** Removes a pod that does not run. Throws POD_RUNNING. */
  remove(id: PodId, options?: AbortOptions): Promise<void>;
  gc(options?: PodGcOptions): AsyncIterable<GcEvent>;
}
