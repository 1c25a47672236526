// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { summariseResult } from './cni-result.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import { listRules, type NatFamily, restoreRules } from './iptables.ts';
import { isRecord } from './network-config.ts';
import type { Attachment } from './types.ts';

/** Everything these rules are found and removed by. */
interface Marked {
  readonly podId: string;
  readonly signal: AbortSignal | undefined;
}

const families: readonly NatFamily[] = ['iptables', 'ip6tables'];

/** The families whose packets the host throws away instead of forwarding them. Docker has it so. */
export async function droppedFamilies(
  run: ExecPlugin,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<NatFamily>> {
  const rules = await Promise.all(families.map((family) => listRules(run, family, { table: 'filter', signal })));
  return new Set(families.filter((_, index) => rules[index]?.includes('-P FORWARD DROP')));
}

/**
 * Lets through what the pod sends, what answers it, and what comes by a forwarded port. The rules come after the host's
 * own, so whatever those refuse stays refused.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_PLUGIN_FAILED
 */
export async function openForwarding(
  run: ExecPlugin,
  attachment: Attachment,
  { podId, signal, dropped }: Marked & { readonly dropped: ReadonlySet<NatFamily> },
): Promise<void> {
  if (!attachment.opensForwarding) return;
  const { ip, ip6 } = summariseResult(attachment.result ?? {});
  const mark = markOf(attachment, podId);
  for (const [family, address] of [['iptables', ip] as const, ['ip6tables', ip6] as const]) {
    if (address === undefined || !dropped.has(family)) continue;
    const host = `${address}/${family === 'iptables' ? 32 : 128}`;
    const commands = [
      `-A FORWARD -s ${host} ${mark} -j ACCEPT`,
      `-A FORWARD -d ${host} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT ${mark} -j ACCEPT`,
    ];
    refuse(await restoreRules(run, { family, table: 'filter', commands, signal }));
  }
}

/**
 * Makes forwarded ports answer at ::1. What leaves for the pod gets an address of the host's as its sender; and as the
 * kernel takes packets for ::1 by a route of the interface they come in on alone, that of the pod gets one, after
 * loopback's own. It lasts as long as the interface. Packets that claim to be for ::1 are dropped before that, as ever.
 *
 * Only for networks that give each pod an interface of the host's own (ptp): on a bridge the route would outlive the pod.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_PLUGIN_FAILED
 */
export async function forwardFromLoopback6(
  run: ExecPlugin,
  attachment: Attachment,
  { podId, signal }: Marked,
): Promise<void> {
  const { network, ports, result = {} } = attachment;
  const { ip6 } = summariseResult(result);
  const link = hostLink(result);
  const wanted = ports.some(({ hostIP }) => hostIP === undefined || hostIP === '::' || hostIP === '::1');
  if (!wanted || ip6 === undefined || link === undefined || network.plugins[0]?.type !== 'ptp') return;
  const args = ['-6', 'route', 'append', 'local', '::1', 'dev', link, 'table', 'local', 'metric', '4096'];
  if (!(await tryIp(run, args, signal))) return;
  const commands = [`-A POSTROUTING -s ::1/128 -d ${ip6}/128 ${markOf(attachment, podId)} -j MASQUERADE`];
  refuse(await restoreRules(run, { family: 'ip6tables', commands, signal }));
}

/** As the plugins mark their own, so that one sweep finds all. Names and ids have been checked. */
function markOf({ network }: Attachment, podId: string): string {
  return `-m comment --comment "name: \\"${network.name}\\" id: \\"${podId}\\""`;
}

/** Of the interfaces a plugin names, the one that is not in a namespace. */
function hostLink(result: Readonly<Record<string, unknown>>): string | undefined {
  const interfaces = Array.isArray(result['interfaces']) ? result['interfaces'].filter(isRecord) : [];
  const name = interfaces.find(({ sandbox }) => sandbox === undefined || sandbox === '')?.['name'];
  return typeof name === 'string' && /^[\w.-]{1,15}$/.test(name) ? name : undefined;
}

/** ::1 is one address of many: a host without iproute2, or a kernel that refuses, does without it. */
async function tryIp(run: ExecPlugin, args: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  try {
    return (await run({ file: 'ip', args, env, stdin: '', signal })).exitCode === 0;
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return false;
    throw error;
  }
}

function refuse(why: string | undefined): void {
  if (why !== undefined) throw new Stage1Error('ERR_RKT_STAGE1_PLUGIN_FAILED', why);
}
