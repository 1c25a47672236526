// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isStage1Error } from '../../error.ts';
import type { Host } from '../../host/index.ts';
import { killMembers } from '../../kill-members.ts';
import { appCgroup, appMembers } from '../../pod/index.ts';
import type { AppRemains, Flavor, HostProgram } from '../flavor.ts';
import { chooseRuntime, expectedRuntime, statedRuntime } from './choose-runtime.ts';
import { enterApp } from './enter-app.ts';
import { removeProbes } from './probe-runtime.ts';
import { globalArguments, type OciRuntime, runtimePlace } from './runtime-command.ts';
import { hideHybridMount, inRuntimeNamespace } from './runtime-namespace.ts';
import { endRuntime } from './runtime-process.ts';
import { startApp } from './start-app.ts';

export interface OciFlavorOptions {
  readonly dataDir: string;
  /** @default crun or runc, whichever works and is faster */
  readonly runtimePath?: string;
}

/** Apps confined by an OCI runtime of the distribution. */
export function createOciFlavor({ dataDir, runtimePath }: OciFlavorOptions): Flavor {
  let chosen: OciRuntime | undefined = runtimePath === undefined ? undefined : statedRuntime(runtimePath);
  let choice: Promise<OciRuntime> | undefined;
  const runtime = async (host: Host): Promise<OciRuntime> => {
    if (chosen !== undefined) return chosen;
    // Pods that start at the same time try the host's runtimes once; a failure may be mended, and is tried again.
    choice ??= chooseRuntime(host, dataDir).finally(() => {
      choice = undefined;
    });
    const found = await choice;
    chosen = found;
    return found;
  };
  return {
    name: 'oci',
    interfaceVersion: 1,
    traits: {
      namespaces: ['ipc', 'uts', 'net'],
      userNamespaces: true,
      pidNamespaces: true,
      enterChanges: true,
      apps: 'several',
      detaches: true,
      onlyByName: false,
    },
    probe: async (host) => {
      try {
        await runtime(host);
        return { usable: true };
      } catch (error) {
        if (isStage1Error(error)) return { usable: false, reason: error.message };
        throw error;
      }
    },
    programs: (host) => [
      program('runtime', (chosen ?? expectedRuntime(host, dataDir))?.path),
      program('monitor', host.findExecutable('conmon')),
    ],
    prepareNamespace: (host, syscalls) => {
      if (chosen !== undefined) hideHybridMount(host, chosen, syscalls);
    },
    start: async (host, app, { monitor, ...request }) => {
      const found = await runtime(host);
      // Of a run before; in a PID namespace of the app the kernel has ended it.
      if (app.pod.init !== undefined) await killMembers(host, appMembers(app.pod.id, app.app.name));
      if (monitor === undefined) return startApp(host, found, app, request);
      // Unlike one in a foreground, it is not removed by the runtime when it has ended.
      const remains = { podId: app.pod.id, dir: app.pod.dir, app: app.app.name, inside: app.pod.holder };
      if (existsSync(join(remains.dir, 'runtime', remains.app))) await deleteContainer(host, found, remains);
      const { startMonitored } = await import('./start-monitored.ts');
      return startMonitored(host, found, app, { ...request, monitor });
    },
    enter: async (host, app, request) => enterApp(host, await runtime(host), app, request),
    processes: (host, { podId, app }) => host.cgroups.processes(appCgroup(podId, app)),
    remove: async (host, app) => {
      endRuntime(host, app.dir, app.app);
      if (existsSync(join(app.dir, 'runtime', app.app))) await deleteContainer(host, await runtime(host), app);
      await killMembers(host, appMembers(app.podId, app.app));
      host.cgroups.remove(appCgroup(app.podId, app.app));
    },
    sweep: (host) => removeProbes(host, dataDir),
  };
}

function program(name: string, path: string | undefined): HostProgram {
  return { name, ...(path !== undefined && { path }) };
}

/** Best effort: the runtime's own complaint changes nothing, since the processes are killed and the files removed anyway. */
async function deleteContainer(host: Host, runtime: OciRuntime, { dir, app }: AppRemains): Promise<void> {
  const child = await inRuntimeNamespace(host, runtime, () =>
    host.processes.spawn({
      file: runtime.path,
      args: [...globalArguments(runtime, runtimePlace(dir, app)), 'delete', '--force', app],
      stdio: ['ignore', 'ignore', 'ignore'],
      detached: true,
    }),
  );
  await child.exit;
}
