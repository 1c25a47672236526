// SPDX-License-Identifier: Apache-2.0
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Stage1Error } from '../error.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import { forwardedPorts, listRules, type NatFamily, restoreNat } from './iptables.ts';
import { leftovers } from './nat-leftovers.ts';
import type { PortForward } from './types.ts';

/** The host's side of forwarding and masquerading. */
export interface HostPorts {
  /**
   * Best effort: another pod may take the port a moment later.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_PORT_IN_USE naming who has it, as far as that is known
   */
  requireFree(ports: readonly PortForward[], signal: AbortSignal | undefined): Promise<void>;
  /** True when the host throws away what it would forward between pods and the world. */
  dropsForwarding(signal: AbortSignal | undefined): Promise<boolean>;
  /**
   * Removes from the nat tables what the plugins leave: a pod's masquerading when its namespace was gone before them,
   * and the chains of port forwarding when no pod uses them any more.
   */
  sweep(podId: string, options: SweepOptions): Promise<void>;
}

export interface SweepOptions {
  readonly families: readonly NatFamily[];
  readonly signal: AbortSignal | undefined;
}

export function createHostPorts(run: ExecPlugin): HostPorts {
  return {
    async requireFree(ports, signal) {
      if (ports.length === 0) return;
      const forwarded = forwardedPorts(await listRules(run, 'iptables', { table: 'nat', signal }));
      for (const port of ports) {
        const taken = forwarded.find((other) => sameHostPort(other, port));
        if (taken) throw inUse(port, `forwarded to ${taken.owner ?? 'another container'}`);
        await requireNoListener(port);
      }
    },
    async dropsForwarding(signal) {
      return (await listRules(run, 'iptables', { table: 'filter', signal })).includes('-P FORWARD DROP');
    },
    async sweep(podId, { families, signal }) {
      await Promise.all(families.map((family) => sweepFamily(run, { family, podId, signal })));
    },
  };
}

interface Sweep {
  readonly family: NatFamily;
  readonly podId: string;
  readonly signal: AbortSignal | undefined;
}

const sweepAttempts = 8;

/**
 * Each round lists the table anew and removes in transactions: when another process has begun to use a chain since, or
 * has removed the same one, nothing happens, and the next round decides on what there is then. Shared chains that cannot
 * be removed in the end are left to the next pod that ends; what is the pod's own must go.
 */
async function sweepFamily(run: ExecPlugin, { family, podId, signal }: Sweep): Promise<void> {
  let ownRefused: string | undefined;
  for (let attempt = 0; attempt < sweepAttempts; attempt++) {
    const { own, unused } = leftovers(await listRules(run, family, { table: 'nat', signal }), podId);
    ownRefused = await restoreNat(run, { family, commands: own, signal });
    const unusedRefused = await restoreNat(run, { family, commands: unused, signal });
    if (ownRefused === undefined && unusedRefused === undefined) return;
  }
  if (ownRefused !== undefined) throw new Stage1Error('ERR_RKT_STAGE1_PLUGIN_FAILED', ownRefused);
}

function sameHostPort(a: Pick<PortForward, 'protocol' | 'hostPort' | 'hostIP'>, b: PortForward): boolean {
  const sameAddress = a.hostIP === undefined || b.hostIP === undefined || a.hostIP === b.hostIP;
  return a.protocol === b.protocol && a.hostPort === b.hostPort && sameAddress;
}

/** Binds the port for a moment. SCTP has no interface in this runtime and is not looked at. */
async function requireNoListener(port: PortForward): Promise<void> {
  try {
    if (port.protocol === 'tcp') await bindTcp(port);
    if (port.protocol === 'udp') await bindUdp(port);
  } catch (error) {
    const code = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (code === 'EADDRINUSE') throw inUse(port, 'listened on by a program of the host', error);
    if (code === 'EADDRNOTAVAIL') throw notAnAddress(port, error);
    throw error;
  }
}

async function bindTcp({ hostIP, hostPort }: PortForward): Promise<void> {
  const server = createServer();
  server.listen({ host: hostIP ?? '0.0.0.0', port: hostPort, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

async function bindUdp({ hostIP, hostPort }: PortForward): Promise<void> {
  const socket = createSocket(hostIP?.includes(':') ? 'udp6' : 'udp4');
  socket.bind({ address: hostIP ?? '0.0.0.0', port: hostPort, exclusive: true });
  await once(socket, 'listening');
  socket.close();
  await once(socket, 'close');
}

function inUse(port: PortForward, why: string, cause?: unknown): Stage1Error {
  const where = `${port.hostIP === undefined ? '' : `${port.hostIP}:`}${port.hostPort}/${port.protocol}`;
  return new Stage1Error('ERR_RKT_STAGE1_PORT_IN_USE', `host port ${where} is already ${why}`, { cause });
}

function notAnAddress({ hostIP }: PortForward, cause: unknown): Stage1Error {
  const message = `cannot forward ports of ${hostIP}: the host has no such address`;
  return new Stage1Error('ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE', message, { cause });
}
