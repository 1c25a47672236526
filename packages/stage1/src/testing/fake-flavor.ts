// SPDX-License-Identifier: Apache-2.0
import type { Flavor } from '../flavors/flavor.ts';

/**
 * A flavor that isolates nothing: an app is a process of the host it is given, a fake one mostly, and runs until that
 * ends it. Files of images are not looked at.
 */
export function createFakeFlavor(): Flavor {
  return {
    name: 'fake',
    interfaceVersion: 1,
    probe: async () => ({ usable: true }),
    prepareNamespace: () => undefined,
    start: async (host, { app }, { signal }) => {
      signal?.throwIfAborted();
      const [file = '', ...args] = app.app.exec;
      const monitor = host.processes.spawn({ file, args, cwd: '/', stdio: ['ignore', 'ignore', 'ignore'] });
      return { pid: monitor.pid, monitor, exit: monitor.exit };
    },
    enter: async (host, _, { command }) => {
      const [file = '', ...args] = command;
      return host.processes.spawn({ file, args, cwd: '/', stdio: ['ignore', 'ignore', 'ignore'] }).exit;
    },
    remove: async () => undefined,
  };
}
