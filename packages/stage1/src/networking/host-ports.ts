// SPDX-License-Identifier: Apache-2.0
import { isStage1Error, Stage1Error } from '../error.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import { type ForwardedPort, forwardedPorts, listRules, type NatFamily } from './iptables.ts';
import { listenerOf, tryToListen } from './port-listeners.ts';
import { isOfFamily, sharesAddress } from './port-requests.ts';
import type { PortForward } from './types.ts';

/** Who has which port of the host. */
export interface HostPorts {
  /**
   * Puts a port that nobody has in the place of every 0. Another pod may take it a moment later: see `requireOwn`.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_PORT_IN_USE when none is found, ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE
   */
  choose(ports: readonly PortForward[], signal: AbortSignal | undefined): Promise<readonly PortForward[]>;
  /**
   * Before anything is changed. Another pod may take the port a moment later: see `requireOwn`.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_PORT_IN_USE naming who has it, as far as that is known,
   *   ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE for an address the host has not
   */
  requireFree(ports: readonly PortForward[], signal: AbortSignal | undefined): Promise<void>;
  /**
   * After the ports have been forwarded: of two pods that did so at the same time, the one whose rules come later fails.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_PORT_IN_USE
   */
  requireOwn(ports: readonly PortForward[], podId: string, signal: AbortSignal | undefined): Promise<void>;
}

export function createHostPorts(run: ExecPlugin): HostPorts {
  return {
    async choose(ports, signal) {
      if (ports.every(({ hostPort }) => hostPort !== 0)) return ports;
      const holders = await holdersOf(run, ports, signal);
      const chosen: PortForward[] = ports.filter(({ hostPort }) => hostPort !== 0);
      const isFree = async (port: PortForward): Promise<boolean> => {
        if (chosen.some((other) => isSame(other, port)) || holders(port)) return false;
        return !(await hasListener(port));
      };
      const result: PortForward[] = [];
      for (const port of ports) {
        const free = port.hostPort === 0 ? await freePort(port, isFree) : port;
        if (free !== port) chosen.push(free);
        result.push(free);
      }
      return result;
    },
    async requireFree(ports, signal) {
      const holders = await holdersOf(run, ports, signal);
      for (const port of ports) {
        const holder = holders(port);
        if (holder) throw forwarded(port, holder);
        await requireNoListener(port);
      }
    },
    async requireOwn(ports, podId, signal) {
      const holders = await holdersOf(run, ports, signal);
      for (const port of ports) {
        const holder = holders(port);
        if (holder && holder.owner !== podId) throw forwarded(port, holder);
      }
    },
  };
}

const families: readonly (readonly [4 | 6, NatFamily])[] = [
  [4, 'iptables'],
  [6, 'ip6tables'],
];

/** Gives for a port the first rule that takes its packets. */
async function holdersOf(
  run: ExecPlugin,
  ports: readonly PortForward[],
  signal: AbortSignal | undefined,
): Promise<(port: PortForward) => ForwardedPort | undefined> {
  const wanted = families.filter(([family]) => ports.some((port) => isOfFamily(port, family)));
  const rules = await Promise.all(wanted.map(([, program]) => listRules(run, program, { table: 'nat', signal })));
  const taken = wanted.map(([family], index) => ({ family, ports: forwardedPorts(rules[index] ?? []) }));
  return (port) =>
    taken
      .filter(({ family }) => isOfFamily(port, family))
      .flatMap((table) => table.ports.find((other) => isSame(other, port)) ?? [])[0];
}

function isSame(a: ForwardedPort, b: PortForward): boolean {
  return a.protocol === b.protocol && a.hostPort === b.hostPort && sharesAddress(a, b);
}

/** RFC 6335: the ports nobody is given for good. */
const firstDynamic = 49_152;
const lastDynamic = 65_535;
const attempts = 256;

/** At random, so that pods that start at the same time seldom choose the same. */
async function freePort(port: PortForward, isFree: (port: PortForward) => Promise<boolean>): Promise<PortForward> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const hostPort = firstDynamic + Math.floor(Math.random() * (lastDynamic - firstDynamic + 1));
    if (await isFree({ ...port, hostPort })) return { ...port, hostPort };
  }
  const message = `no free host port found from ${firstDynamic} to ${lastDynamic} for port ${port.podPort} of the pod`;
  throw new Stage1Error('ERR_RKT_STAGE1_PORT_IN_USE', message);
}

async function hasListener(port: PortForward): Promise<boolean> {
  try {
    await requireNoListener(port);
    return false;
  } catch (error) {
    if (isStage1Error(error) && error.code === 'ERR_RKT_STAGE1_PORT_IN_USE') return true;
    throw error;
  }
}

async function requireNoListener(port: PortForward): Promise<void> {
  try {
    await tryToListen(port);
  } catch (error) {
    const code = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (code === 'EADDRINUSE')
      throw inUse(port, `listened on by ${listenerOf(port) ?? 'a program of the host'}`, error);
    if (code === 'EADDRNOTAVAIL') throw notAnAddress(port, error);
    throw error;
  }
}

function forwarded(port: PortForward, { owner }: ForwardedPort): Stage1Error {
  return inUse(port, `forwarded to ${owner === undefined ? 'another container' : `container ${owner}`}`);
}

function inUse(port: PortForward, why: string, cause?: unknown): Stage1Error {
  const address = port.hostIP?.includes(':') ? `[${port.hostIP}]` : port.hostIP;
  const where = `${address === undefined ? '' : `${address}:`}${port.hostPort}/${port.protocol}`;
  return new Stage1Error('ERR_RKT_STAGE1_PORT_IN_USE', `host port ${where} is already ${why}`, { cause });
}

function notAnAddress({ hostIP }: PortForward, cause: unknown): Stage1Error {
  const message = `cannot forward ports of ${hostIP}: the host has no such address`;
  return new Stage1Error('ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE', message, { cause });
}
