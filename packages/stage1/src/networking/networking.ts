// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { isContainerId } from './container-id.ts';
import { type ExecPlugin, spawnPlugin } from './exec-plugin.ts';
import { createHostPorts, type HostPorts } from './host-ports.ts';
import { createPlugins, type Plugins } from './plugins.ts';
import { type AttachmentRecord, openRecord } from './record.ts';
import { openReservations, type Reservations } from './reservations.ts';
import { setUp } from './set-up.ts';
import { tearDown } from './tear-down.ts';
import type { Networking } from './types.ts';

export interface NetworkingOptions {
  /** `networks/` below it holds address reservations and what is needed to undo them. */
  readonly dataDir: string;
  /** Each may have a `net.d`; later ones win. */
  readonly configDirs: readonly string[];
  /** @default ['/usr/lib/cni', '/opt/cni/bin', '/usr/lib/rkt/plugins/net'] */
  readonly pluginDirs?: readonly string[];
  /** Runs plugins and the programs of the host's firewall and routes. @default spawnPlugin */
  readonly run?: ExecPlugin;
}

const defaultPluginDirs: readonly string[] = ['/usr/lib/cni', '/opt/cni/bin', '/usr/lib/rkt/plugins/net'];

/** What setting up and tearing down work with. */
export interface NetworkContext {
  readonly run: ExecPlugin;
  readonly plugins: Plugins;
  readonly record: AttachmentRecord;
  readonly reservations: Reservations;
  readonly hostPorts: HostPorts;
  readonly configDirs: readonly string[];
  readonly ipamDir: string;
}

/** Networks of pods by CNI plugins (specification 1.0.0). Any number of processes may use one data directory at once. */
export function createNetworking(options: NetworkingOptions): Networking {
  const run = options.run ?? spawnPlugin;
  const ipamDir = join(options.dataDir, 'networks', 'ipam');
  const context: NetworkContext = {
    run,
    plugins: createPlugins(run, options.pluginDirs ?? defaultPluginDirs),
    record: openRecord(join(options.dataDir, 'networks', 'pods')),
    reservations: openReservations(ipamDir),
    hostPorts: createHostPorts(run),
    configDirs: options.configDirs,
    ipamDir,
  };
  return {
    setup: (setup) => setUp(context, setup),
    teardown: (teardown) => tearDown(context, teardown),
    remembered: async () => {
      const owners = [...(await context.record.list()), ...(await context.reservations.owners())];
      return [...new Set(owners)].filter(isContainerId);
    },
  };
}
