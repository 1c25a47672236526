// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import { hasTable } from './iptables.ts';

const env: Readonly<Record<string, string>> = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
const settings = '/proc/sys/net/ipv6/conf';

/**
 * Whether the host can forward IPv6 to pods: the protocol is there and not turned off, its nat table too, and iproute2,
 * without which {@link keepRouterAdvertisements} could not tell what to keep.
 */
export async function canForwardIPv6(run: ExecPlugin, signal: AbortSignal | undefined): Promise<boolean> {
  const script = `[ "$(cat ${settings}/all/disable_ipv6)" = 0 ] && command -v ip`;
  const { exitCode } = await run({ file: '/bin/sh', args: ['-c', script], env, stdin: '', signal });
  return exitCode === 0 && (await hasTable(run, 'ip6tables', { table: 'nat', signal }));
}

/**
 * A host that forwards stops listening to routers: `accept_ra` 1 means "unless forwarding", 2 means always. The plugins are
 * about to turn forwarding on; without this the host would lose its own default route when the router's last word expires.
 *
 * Only interfaces that have learned something keep listening. Pods' own never do, nor do those that come later: a pod that
 * may send what it likes could have the host's traffic sent to itself (CVE-2020-10749).
 *
 * @throws Stage1Error ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE
 */
export async function keepRouterAdvertisements(run: ExecPlugin, signal: AbortSignal | undefined): Promise<void> {
  const { exitCode, stderr } = await run({ file: '/bin/sh', args: ['-c', keepScript], env, stdin: '', signal });
  if (exitCode === 0) return;
  const message = `cannot forward IPv6 without losing the host's own routes: ${quote(stderr.trim(), 200)}`;
  throw new Stage1Error('ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE', message);
}

/** Routes of routers say `dev NAME`, lines of addresses begin `2: NAME`. Names have no spaces, and are no patterns here. */
const keepScript = `set -f
cd ${settings} && [ "$(cat all/forwarding)" = 0 ] || exit 0
learned=$({ ip -6 route show proto ra; ip -o -6 addr show dynamic; } |
  sed -n 's/.* dev \\([^ ]*\\).*/\\1/p; s/^[0-9]*: \\([^ ]*\\) .*/\\1/p')
for link in $learned; do
  [ "$(cat "$link/accept_ra")" != 1 ] || echo 2 > "$link/accept_ra" || exit 1
done`;
