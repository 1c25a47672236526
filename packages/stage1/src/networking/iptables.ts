// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { quote } from '../quote.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import type { PortForward } from './types.ts';

/** The program, and with it the address family, of a nat table. Both come as nft and as legacy; they behave the same. */
export type NatFamily = 'iptables' | 'ip6tables';

/** Fixed, as for plugins: what the caller's PATH has first must not decide which firewall is changed. */
const env: Readonly<Record<string, string>> = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

export interface ListOptions {
  readonly table: 'nat' | 'filter';
  readonly signal: AbortSignal | undefined;
}

/**
 * The rules of a table as `iptables -S` writes them, one per line. A host without iptables, or a kernel without the
 * table, has none.
 *
 * @throws the signal's reason
 */
export async function listRules(
  run: ExecPlugin,
  family: NatFamily,
  { table, signal }: ListOptions,
): Promise<readonly string[]> {
  try {
    const exit = await run({ file: family, args: ['-w', '-t', table, '-S'], env, stdin: '', signal });
    return exit.exitCode === 0 ? exit.stdout.split('\n').filter((line) => line !== '') : [];
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return [];
    throw error;
  }
}

export interface RestoreOptions {
  readonly family: NatFamily;
  readonly commands: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Applies commands to the nat table in one transaction: all or none. A refusal mostly means that another process has
 * changed the table since the commands were made from its listing: iptables-nft takes no lock.
 *
 * @returns undefined, or why nothing was changed
 * @throws the signal's reason
 */
export async function restoreNat(run: ExecPlugin, change: RestoreOptions): Promise<string | undefined> {
  if (change.commands.length === 0) return undefined;
  const file = `${change.family}-restore`;
  const stdin = `*nat\n${change.commands.join('\n')}\nCOMMIT\n`;
  const exit = await run({ file, args: ['-w', '--noflush'], env, stdin, signal: change.signal });
  if (exit.exitCode === 0) return undefined;
  return `${file} failed (exit status ${exit.exitCode}): ${quote(exit.stderr.trim(), 600)}`;
}

/** A port the portmap plugin forwards, and the container it says it is for. */
export interface ForwardedPort extends Pick<PortForward, 'protocol' | 'hostPort' | 'hostIP'> {
  readonly owner?: string;
}

/** Reads the portmap plugin's chains: CNI-HOSTPORT-DNAT leads to one CNI-DN-… per container, which holds the ports. */
export function forwardedPorts(rules: readonly string[]): readonly ForwardedPort[] {
  const owners = new Map<string, string>();
  for (const rule of rules) {
    const match = /^-A CNI-HOSTPORT-DNAT .*id: \\"([\w.-]+)\\".* -j (CNI-DN-\w+)$/.exec(rule);
    if (match?.[1] !== undefined && match[2] !== undefined) owners.set(match[2], match[1]);
  }
  return rules.flatMap((rule) => {
    const match = /^-A (CNI-DN-\w+) (?:-d (\S+?)(?:\/\d+)? )?-p (tcp|udp|sctp) .*--dport (\d+) -j DNAT /.exec(rule);
    const protocol = protocols.find((known) => known === match?.[3]);
    if (!match || protocol === undefined) return [];
    const owner = owners.get(match[1] ?? '');
    const hostIP = match[2];
    return [
      {
        ...{ protocol, hostPort: Number(match[4]) },
        ...(hostIP !== undefined && isIP(hostIP) !== 0 && { hostIP }),
        ...(owner !== undefined && { owner: `container ${owner}` }),
      },
    ];
  });
}

const protocols: readonly PortForward['protocol'][] = ['tcp', 'udp', 'sctp'];
