// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import type {
  AppDefinition,
  AppFiles,
  Attachment,
  EnterOptions,
  FlavorTraits,
  GcEvent,
  Health,
  Listeners,
  LogEntry,
  LogOptions,
  MonitorOptions,
  OutputChunk,
  Pod,
  PodGcOptions,
  PrepareOptions,
  RunningApp,
  Runtime,
  SandboxSpec,
  StdioMode,
} from '@rkt/stage1';

/** What a test decides about the runtime and what the runtime was asked to do. */
export interface FakeRuntime extends Runtime {
  readonly pods: Map<string, Pod>;
  readonly calls: string[];
  readonly prepared: PrepareOptions[];
  readonly signals: NodeJS.Signals[];
  /** Signals, by the app that got them. */
  readonly signalled: [app: string, signal: NodeJS.Signals][];
  /** Apps that run out of memory. */
  readonly starved: string[];
  readonly stopped: { readonly app: string; readonly force: boolean }[];
  /** Apps of which was ended what they had left, and after how many other calls. */
  readonly cleared: { readonly app: string; readonly after: number }[];
  /** Ends an app, or all that run. */
  exit(status: number, app?: string): void;
  readonly defined: AppDefinition[];
  /** Resolved by a test when somebody else stops the sandbox. */
  readonly sandboxEnd: PromiseWithResolvers<void>;
  /** Of whatever flavor is asked for. */
  traits: FlavorTraits;
  notices: readonly string[];
  gcEvents: readonly GcEvent[];
  gcOptions: PodGcOptions | undefined;
  /** Thrown by the primitive of this name. */
  failing: { readonly name: string; readonly error: Error } | undefined;
  /** What a sandbox was to have otherwise than it was prepared. */
  spec: Partial<SandboxSpec> | undefined;
  stdio: StdioMode | undefined;
  monitor: MonitorOptions | undefined;
  /** How the last app was started, the sandbox left, and which app it was released for. */
  again: boolean | undefined;
  listeners: Listeners | undefined;
  /** What a check finds, and what is to be executed for one. */
  health: Health | undefined;
  healthCheck: readonly string[] | undefined;
  keepsSandbox: boolean | undefined;
  released: string | undefined;
  /** What the app has written, and what of it was asked for. */
  log: readonly LogEntry[];
  logOptions: LogOptions | undefined;
  attachment: FakeAttachment;
  /** How the last app was entered. */
  entered: EnterOptions | undefined;
  /** What the app of a pod has written. */
  files: Pick<AppFiles, 'upperDir' | 'users'> | undefined;
}

/** The streams of an app that writes back what it reads, until somebody leaves or `end` is written. */
export interface FakeAttachment extends Attachment {
  readonly calls: string[];
  hasTerminal: boolean;
  hasStdin: boolean;
}

function fakeAttachment(): FakeAttachment {
  const over = Promise.withResolvers<void>();
  const chunks: OutputChunk[] = [];
  const attachment: FakeAttachment = {
    calls: [],
    hasStdin: true,
    hasTerminal: true,
    output: {
      async *[Symbol.asyncIterator]() {
        yield { stream: 'stderr', bytes: Buffer.from('ready\n') };
        await over.promise;
        yield* chunks;
      },
    },
    write: async (bytes) => {
      const text = Buffer.from(bytes).toString();
      attachment.calls.push(`write ${text}`);
      chunks.push({ stream: 'stdout', bytes });
      if (text.includes('end')) over.resolve();
    },
    fitTerminal: ({ redraw } = {}) => void attachment.calls.push(redraw === true ? 'redraw' : 'fit'),
    close: () => {
      attachment.calls.push('close');
      over.resolve();
    },
  };
  return attachment;
}

/** As the flavor oci has them. */
export const confining: FlavorTraits = {
  namespaces: ['ipc', 'uts', 'net'],
  apps: 'several',
  userNamespaces: true,
  pidNamespaces: true,
  enterChanges: true,
  detaches: true,
  onlyByName: false,
};

const POD = '11111111-2222-4333-8444-555555555555';

export function fakeRuntime(dataDir = '/data'): FakeRuntime {
  const exits = new Map<string, PromiseWithResolvers<number>>();
  const detachedExit = Promise.withResolvers<number>();
  const call = (name: string): void => {
    runtime.calls.push(name);
    if (runtime.failing?.name === name) throw runtime.failing.error;
  };
  const find = (id: string): Pod => {
    const pod = runtime.pods.get(id);
    if (pod === undefined) throw podNotFound(id);
    return pod;
  };
  const started = (name: string): RunningApp => {
    const exit = Promise.withResolvers<number>();
    exits.set(name, exit);
    return {
      pid: 42,
      wait: () => exit.promise,
      wasOutOfMemory: () => runtime.starved.includes(name),
      signal: (signal) => {
        runtime.signals.push(signal);
        runtime.signalled.push([name, signal]);
      },
    };
  };
  const runtime: FakeRuntime = {
    pods: new Map(),
    calls: [],
    prepared: [],
    signals: [],
    signalled: [],
    starved: [],
    stopped: [],
    cleared: [],
    defined: [],
    sandboxEnd: Promise.withResolvers(),
    traits: confining,
    notices: [],
    gcEvents: [],
    gcOptions: undefined,
    failing: undefined,
    stdio: undefined,
    exit: (status, app) => {
      detachedExit.resolve(status);
      for (const [name, exit] of exits) if (app === undefined || name === app) exit.resolve(status);
    },
    monitor: undefined,
    again: undefined,
    listeners: undefined,
    health: undefined,
    healthCheck: undefined,
    keepsSandbox: undefined,
    released: undefined,
    log: [],
    logOptions: undefined,
    attachment: fakeAttachment(),
    entered: undefined,
    files: undefined,
    // Not among the calls: every command that makes a pod asks.
    flavorTraits: () => runtime.traits,
    describeFlavor: (name = 'oci') => ({ name, programs: [{ name: 'runtime', path: '/usr/bin/crun' }] }),
    review: () => runtime.notices,
    prepare: async (options) => {
      call('prepare');
      const directory = `${dataDir}/pods/embryo/${POD}`;
      mkdirSync(directory, { recursive: true });
      await options.onDirectory?.(directory);
      runtime.prepared.push(options);
      const pod = fakePod({
        id: POD,
        state: 'prepared',
        manifest: options.manifest,
        apps: options.manifest.apps.map(({ name, image }) => ({ name, imageId: image.id, state: 'unknown' })),
      });
      runtime.pods.set(POD, pod);
      return pod;
    },
    spec: undefined,
    createSandbox: async (id, { spec } = {}) => {
      call('createSandbox');
      runtime.spec = spec;
      const pod: Pod = { ...find(id), state: 'running' };
      runtime.pods.set(id, pod);
      return pod;
    },
    waitSandbox: async () => {
      call('waitSandbox');
      await runtime.sandboxEnd.promise;
    },
    defineApp: async (id, definition) => {
      call('defineApp');
      const pod = find(id);
      const { name, image } = definition.app;
      runtime.defined.push(definition);
      runtime.pods.set(id, { ...pod, apps: [...pod.apps, { name, imageId: image.id, state: 'unknown' }] });
    },
    addApp: async () => call('addApp'),
    startApp: async (_id, app, { stdio, monitor, again, listeners, healthCheck }) => {
      call('startApp');
      runtime.stdio = stdio;
      runtime.monitor = monitor;
      runtime.again = again;
      runtime.listeners = listeners;
      runtime.healthCheck = healthCheck;
      return started(app);
    },
    stopApp: async (_id, app, { force = false } = {}) => {
      call('stopApp');
      runtime.stopped.push({ app, force });
      exits.get(app)?.resolve(force ? 137 : 143);
    },
    removeApp: async () => call('removeApp'),
    stopSandbox: async () => call('stopSandbox'),
    detach: async (_id, { keepSandbox } = {}) => {
      call('detach');
      runtime.keepsSandbox = keepSandbox;
    },
    endLeftovers: async (_, { app }) => void runtime.cleared.push({ app, after: runtime.calls.length }),
    releaseEnded: async (id, { app } = {}) => {
      call('releaseEnded');
      runtime.released = app;
      return find(id).state !== 'running';
    },
    waitApp: async (id) => {
      call('waitApp');
      find(id);
      return detachedExit.promise;
    },
    waitPod: async (id, { until, signal }) => {
      for (;;) {
        signal?.throwIfAborted();
        if (until(find(id))) return find(id);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    signalApp: async (_id, { name, app: of }) => {
      call(`signalApp ${of ?? ''}`);
      runtime.signals.push(name);
    },
    attach: async (_id, { app: of } = {}) => {
      call(`attach ${of ?? ''}`);
      return runtime.attachment;
    },
    logs: async function* (_id, options = {}) {
      runtime.logOptions = options;
      yield* runtime.log;
      if (options.follow !== true) return;
      await new Promise((_, reject) => {
        options.signal?.addEventListener('abort', () => reject(options.signal?.reason), { once: true });
      });
    },
    enter: async (_id, options) => {
      const { command } = options;
      runtime.entered = options;
      call(`enter ${command?.join(' ') ?? ''}`);
      return 3;
    },
    checkHealth: async (_id, { app: of } = {}) => {
      call(`checkHealth ${of ?? ''}`);
      return runtime.health;
    },
    openAppFiles: async (id, { app: of } = {}) => {
      call(`openAppFiles ${of ?? ''}`);
      if (runtime.files === undefined) throw new Error(`pod ${id} has no files`);
      const [{ imageId = '', name = '' } = {}] = find(id).apps;
      return { app: name, imageId, ...runtime.files, [Symbol.dispose]: () => call('close files') };
    },
    resolve: async (prefix) => {
      const id = [...runtime.pods.keys()].find((known) => known.startsWith(prefix));
      if (id === undefined) throw podNotFound(prefix);
      return id;
    },
    inspect: async (id) => find(id),
    list: async () => {
      if (runtime.failing?.name === 'list') throw runtime.failing.error;
      return [...runtime.pods.values()];
    },
    remove: async (id) => {
      call('remove');
      runtime.pods.delete(id);
    },
    gc: async function* (options) {
      runtime.gcOptions = options;
      yield* runtime.gcEvents;
    },
  };
  return runtime;
}

function podNotFound(prefix: string): Error {
  return Object.assign(new Error(`no pod has an id that begins with "${prefix}"`), {
    code: 'ERR_RKT_STAGE1_POD_NOT_FOUND',
  });
}

export function fakePod(pod: Partial<Pod> = {}): Pod {
  return {
    id: POD,
    state: 'running',
    dir: `/data/pods/run/${POD}`,
    manifest: undefined,
    apps: [],
    networks: [],
    ports: [],
    createdAt: Date.UTC(2026, 0, 2, 3, 1, 5),
    ...pod,
  };
}
