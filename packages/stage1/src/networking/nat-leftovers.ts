// SPDX-License-Identifier: Apache-2.0

/** Commands for iptables-restore. */
export interface Leftovers {
  /** What belongs to the pod alone. */
  readonly own: readonly string[];
  /** The chains every forwarded port of the host shares, when there is none left. */
  readonly unused: readonly string[];
}

const forwardingEntry = 'CNI-HOSTPORT-DNAT';
const forwardingChains: readonly string[] = [forwardingEntry, 'CNI-HOSTPORT-MASQ', 'CNI-HOSTPORT-SETMARK'];

/**
 * What the CNI plugins left in a nat table, given its rules as `iptables -S` lists them.
 *
 * Masquerading: the ptp and bridge plugins only remove it when the pod's namespace still exists at DEL; its rules carry
 * the pod's id in their comment. Port forwarding: the portmap plugin never removes the chains it made for all pods.
 */
export function leftovers(rules: readonly string[], podId: string): Leftovers {
  return { own: ownCommands(rules, podId), unused: unusedCommands(rules) };
}

function ownCommands(rules: readonly string[], podId: string): readonly string[] {
  const marked = rules.filter((rule) => rule.startsWith('-A ') && rule.includes(`id: \\"${podId}\\"`));
  const targets = marked.map((rule) => / -j (CNI-[0-9a-f]+|CNI-DN-\w+)$/.exec(rule)?.[1]);
  const chains = new Set(targets.filter((target) => target !== undefined));
  const jumps = marked.filter((rule) => !chains.has(chainOf(rule)));
  return [...jumps.map(deletion), ...[...chains].flatMap((chain) => [`-F ${chain}`, `-X ${chain}`])];
}

/**
 * The entry chain is not flushed: if a port has been forwarded since the table was listed, its removal fails, and with
 * it the whole transaction.
 */
function unusedCommands(rules: readonly string[]): readonly string[] {
  const present = forwardingChains.filter((chain) => rules.includes(`-N ${chain}`));
  if (!present.includes(forwardingEntry) || rules.some((rule) => chainOf(rule) === forwardingEntry)) return [];
  const forwardsElsewhere = rules.some((rule) => chainOf(rule).startsWith('CNI-DN-'));
  if (forwardsElsewhere) return [];
  const jumps = rules.filter((rule) => {
    const target = / -j (\S+)$/.exec(rule)?.[1];
    return target !== undefined && present.includes(target) && !present.includes(chainOf(rule));
  });
  const emptied = present.filter((chain) => chain !== forwardingEntry).map((chain) => `-F ${chain}`);
  return [...jumps.map(deletion), ...emptied, ...present.map((chain) => `-X ${chain}`)];
}

/** The chain a rule is in; empty for lines that are no rules. */
function chainOf(rule: string): string {
  return /^-A (\S+) /.exec(rule)?.[1] ?? '';
}

function deletion(rule: string): string {
  return `-D ${rule.slice('-A '.length)}`;
}
