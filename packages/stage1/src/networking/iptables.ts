// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import type { PortForward } from './types.ts';

/** The program, and with it the address family, of a nat table. Both come as nft and as legacy; they behave the same. */
export type NatFamily = 'iptables' | 'ip6tables';

/** Fixed, as for plugins: what the caller's PATH has first must not decide which firewall is changed. */
const env: Readonly<Record<string, string>> = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

export type FirewallTable = 'nat' | 'filter';

export interface ListOptions {
  readonly table: FirewallTable;
  readonly signal: AbortSignal | undefined;
}

/**
 * The rules of a table as `iptables -S` writes them, one per line. A host without iptables, or a kernel without the
 * table, has none; so has iptables-nft where nothing has asked for the table yet, or where it is a table of nft's own.
 *
 * @throws the signal's reason; Stage1Error ERR_RKT_STAGE1_PLUGIN_FAILED for more than 64 MiB, or when it cannot be told
 */
export async function listRules(run: ExecPlugin, family: NatFamily, options: ListOptions): Promise<readonly string[]> {
  return (await list(run, family, options)) ?? [];
}

/** Of half a table nobody could tell who has a port, or what is left of a pod. Other programs may have 10 000s of rules. */
const maxListing = 64 * 1024 * 1024;

/** Whether the host has the program and the kernel the table. @throws as {@link listRules} */
export async function hasTable(run: ExecPlugin, family: NatFamily, options: ListOptions): Promise<boolean> {
  return (await list(run, family, options)) !== undefined;
}

async function list(
  run: ExecPlugin,
  family: NatFamily,
  { table, signal }: ListOptions,
): Promise<readonly string[] | undefined> {
  try {
    const args = ['-w', '-t', table, '-S'];
    const exit = await run({ file: family, args, env, stdin: '', maxOutputBytes: maxListing, signal });
    const { exitCode, stdout, stderr } = exit;
    if (stdout.length >= maxListing) {
      const message = `the ${table} table of ${family} is larger than ${maxListing} bytes`;
      throw new Stage1Error('ERR_RKT_STAGE1_PLUGIN_FAILED', message);
    }
    if (exitCode === 0) return stdout.split('\n').filter((line) => line !== '');
    if (missing.test(stderr)) return undefined;
    const message = `${family} cannot list the ${table} table (exit status ${exitCode}): ${quote(stderr.trim(), 600)}`;
    throw new Stage1Error('ERR_RKT_STAGE1_PLUGIN_FAILED', message);
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * How both kinds of iptables say that a table is not there to be used: no module for it, no such address family, no
 * nf_tables in the kernel, or a table that only nft(8) understands. Anything else, a lock that is not given up or a call
 * that is refused, leaves open what the table holds.
 */
const missing =
  /Table does not exist|do you need to insmod|Address family not supported|Protocol not supported|is incompatible, use 'nft' tool/;

export interface RestoreOptions {
  readonly family: NatFamily;
  /** @default 'nat' */
  readonly table?: FirewallTable;
  readonly commands: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Applies commands to a table in one transaction: all or none. A refusal mostly means that another process has
 * changed the table since the commands were made from its listing: iptables-nft takes no lock.
 *
 * @returns undefined, or why nothing was changed
 * @throws the signal's reason
 */
export async function restoreRules(run: ExecPlugin, change: RestoreOptions): Promise<string | undefined> {
  if (change.commands.length === 0) return undefined;
  const file = `${change.family}-restore`;
  const stdin = `*${change.table ?? 'nat'}\n${change.commands.join('\n')}\nCOMMIT\n`;
  const exit = await run({ file, args: ['-w', '--noflush'], env, stdin, signal: change.signal });
  if (exit.exitCode === 0) return undefined;
  return `${file} failed (exit status ${exit.exitCode}): ${quote(exit.stderr.trim(), 600)}`;
}

/** A port the portmap plugin forwards, and the id of the container it says it is for. */
export interface ForwardedPort extends Pick<PortForward, 'protocol' | 'hostPort' | 'hostIP'> {
  readonly owner?: string;
}

/**
 * Reads the portmap plugin's chains: CNI-HOSTPORT-DNAT leads to one CNI-DN-… per container, which holds the ports. In the
 * order packets meet them: of two for the same port, the first has it.
 */
export function forwardedPorts(rules: readonly string[]): readonly ForwardedPort[] {
  const owners = new Map<string, string>();
  for (const rule of rules) {
    const match = /^-A CNI-HOSTPORT-DNAT .*id: \\"([\w.-]+)\\".* -j (CNI-DN-\w+)$/.exec(rule);
    if (match?.[1] !== undefined && match[2] !== undefined) owners.set(match[2], match[1]);
  }
  const found = rules.flatMap((rule) => forwardOf(rule) ?? []);
  const order = [...owners.keys()];
  const rank = (chain: string): number => (owners.has(chain) ? order.indexOf(chain) : order.length);
  return found
    .toSorted((a, b) => rank(a.chain) - rank(b.chain))
    .map(({ chain, port }) => ({ ...port, ...(owners.has(chain) && { owner: owners.get(chain) ?? '' }) }));
}

interface ChainedPort {
  readonly chain: string;
  readonly port: ForwardedPort;
}

function forwardOf(rule: string): ChainedPort | undefined {
  const match = /^-A (CNI-DN-\w+) (?:-d (\S+?)(?:\/\d+)? )?-p (tcp|udp|sctp) .*--dport (\d+) -j DNAT /.exec(rule);
  const protocol = protocols.find((known) => known === match?.[3]);
  if (!match || protocol === undefined) return undefined;
  const hostIP = match[2];
  const port = { protocol, hostPort: Number(match[4]), ...(hostIP !== undefined && isIP(hostIP) !== 0 && { hostIP }) };
  return { chain: match[1] ?? '', port };
}

const protocols: readonly PortForward['protocol'][] = ['tcp', 'udp', 'sctp'];
