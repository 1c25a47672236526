// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { RuntimeContext } from './context.ts';
import type { Flavor } from './flavors/flavor.ts';
import { createFlyFlavor } from './flavors/fly/fly-flavor.ts';
import { createOciFlavor } from './flavors/oci/oci-flavor.ts';
import { flavorNamed, review } from './flavors/review-pod.ts';
import { collect, removePod } from './gc/index.ts';
import { checkHealth } from './health/check-health.ts';
import { createHost, type Host } from './host/index.ts';
import { createNetworking, type Networking } from './networking/index.ts';
import { openPodDirectory } from './pod/index.ts';
import { preparePod } from './pod/prepare-pod.ts';
import { requireOwn } from './pod/require-own.ts';
import type { Runtime } from './runtime.ts';
import {
  createSandbox,
  detachSandbox,
  endLeftovers,
  releaseEnded,
  stopApp,
  stopSandbox,
  waitSandbox,
} from './sandbox/index.ts';
import { addApp, removeApp, startApp } from './supervise/apps.ts';
import { attach } from './supervise/attach.ts';
import { defineApp } from './supervise/define-app.ts';
import { enter } from './supervise/enter.ts';
import { inspect, listPods } from './supervise/inspect.ts';
import { openAppFiles } from './supervise/open-app-files.ts';
import { readLogs } from './supervise/read-logs.ts';
import { signalApp } from './supervise/signal-app.ts';
import { waitApp } from './supervise/wait-app.ts';
import { waitPod } from './supervise/wait-pod.ts';
import { openRangeReservations } from './users/index.ts';

export interface RuntimeOptions {
  /** Absolute. Pods live below its `pods/`, networks below `networks/`, ids given to pods below `id-ranges/`. */
  readonly dataDir: string;
  /** Directories with a `net.d` of CNI configurations; later ones win. */
  readonly configDirs: readonly string[];
  /** Where CNI plugins are. @default the usual places, see createNetworking */
  readonly pluginDirs?: readonly string[];
  /** An OCI runtime to use instead of whichever works and is fastest. */
  readonly runtimePath?: string;
  /** In order of preference. @default oci, and fly for pods that name it */
  readonly flavors?: readonly Flavor[];
  readonly host?: Host;
  readonly networking?: Networking;
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
}

/**
 * Pods on one data directory, shared with any number of other processes. Creates nothing and loads nothing native until
 * something needs it.
 *
 * System calls are made on the calling thread, which must be the main one; code that runs while it is in a pod's
 * namespaces is synchronous, so no other code of the process ever sees them.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_UNSAFE_OWNER where the data directory, or what it keeps of pods, is another user's
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { dataDir, configDirs, pluginDirs, runtimePath } = options;
  requireOwn(dataDir);
  const host = options.host ?? createHost();
  const context: RuntimeContext = {
    host,
    pods: openPodDirectory(dataDir),
    networking: options.networking ?? createNetworking({ dataDir, configDirs, ...(pluginDirs && { pluginDirs }) }),
    users: openRangeReservations(join(dataDir, 'id-ranges'), host),
    flavors: options.flavors ?? [
      createOciFlavor({ dataDir, ...(runtimePath !== undefined && { runtimePath }) }),
      createFlyFlavor(),
    ],
    owned: new Map(),
    now: options.now ?? Date.now,
  };
  return {
    flavorTraits: (name) => flavorNamed(context, name).traits,
    describeFlavor: (name) => {
      const flavor = flavorNamed(context, name);
      return { name: flavor.name, programs: flavor.programs?.(host) ?? [] };
    },
    review: (pod) => review(context, pod),
    prepare: async (options) => {
      const id = await preparePod(context, options);
      return inspect(context, id);
    },
    createSandbox: async (id, sandbox) => {
      await createSandbox(context, id, sandbox);
      return inspect(context, id);
    },
    waitSandbox: (id, wait) => waitSandbox(context, id, wait),
    defineApp: (id, definition, define) => defineApp(context, id, definition, define),
    addApp: (id, app, add) => addApp(context, id, app, add),
    startApp: (id, app, start) => startApp(context, id, app, start),
    stopApp: (id, app, stop) => stopApp(context, id, app, stop),
    removeApp: (id, app, remove) => removeApp(context, id, app, remove),
    stopSandbox: (id, stop) => stopSandbox(context, id, stop),
    detach: (id, detach) => detachSandbox(context, id, detach),
    endLeftovers: (id, leftovers) => endLeftovers(context, id, leftovers),
    releaseEnded: (id, release) => releaseEnded(context, id, release),
    waitApp: (id, wait) => waitApp(context, id, wait),
    waitPod: (id, wait) => waitPod(context, id, wait),
    signalApp: (id, signal) => signalApp(context, id, signal),
    attach: (id, target) => attach(context, id, target),
    logs: (id, logs) => readLogs(context, id, logs),
    enter: (id, target) => enter(context, id, target),
    checkHealth: (id, check) => checkHealth(context, id, check),
    openAppFiles: (id, open) => openAppFiles(context, id, open),
    resolve: async (prefix) => context.pods.resolve(prefix),
    inspect: (id) => inspect(context, id),
    list: () => listPods(context),
    remove: (id, remove) => removePod(context, id, remove),
    gc: (gc) => collect(context, gc),
  };
}
