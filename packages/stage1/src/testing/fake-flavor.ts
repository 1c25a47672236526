// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import type { Flavor } from '../flavors/flavor.ts';

/**
 * A flavor that isolates nothing: an app is a process of the host it is given, a fake one mostly, and runs until that
 * ends it. Files of images are not looked at.
 */
export function createFakeFlavor(): Flavor {
  return {
    name: 'fake',
    interfaceVersion: 1,
    traits: {
      namespaces: ['ipc', 'uts', 'net'],
      userNamespaces: false,
      apps: 'several',
      detaches: false,
      onlyByName: false,
    },
    probe: async () => ({ usable: true }),
    prepareNamespace: () => undefined,
    start: async (host, { app }, { signal, monitor }) => {
      signal?.throwIfAborted();
      if (monitor !== undefined) {
        throw new Stage1Error('ERR_RKT_STAGE1_FLAVOR_UNABLE', 'flavor fake runs apps in the foreground alone');
      }
      const [file = '', ...args] = app.app.exec;
      const child = host.processes.spawn({ file, args, cwd: '/', stdio: ['ignore', 'ignore', 'ignore'] });
      return { pid: child.pid, monitor: child, exit: child.exit };
    },
    enter: async (host, _, { command }) => {
      const [file = '', ...args] = command;
      return host.processes.spawn({ file, args, cwd: '/', stdio: ['ignore', 'ignore', 'ignore'] }).exit;
    },
    processes: (host, { podId, app }) => host.cgroups.processes(`rkt/${podId}/${app}`),
    remove: async () => undefined,
  };
}
