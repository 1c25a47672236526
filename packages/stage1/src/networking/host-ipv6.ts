// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import { hasTable } from './iptables.ts';

const env: Readonly<Record<string, string>> = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
const settings = '/proc/sys/net/ipv6/conf';

/** Whether the host can forward IPv6 to pods: the protocol is there and not turned off, and so is its nat table. */
export async function canForwardIPv6(run: ExecPlugin, signal: AbortSignal | undefined): Promise<boolean> {
  const args = ['-c', `[ "$(cat ${settings}/all/disable_ipv6)" = 0 ]`];
  const { exitCode } = await run({ file: '/bin/sh', args, env, stdin: '', signal });
  return exitCode === 0 && (await hasTable(run, 'ip6tables', { table: 'nat', signal }));
}

/**
 * A host that forwards stops listening to routers: `accept_ra` 1 means "unless forwarding", 2 means always. The plugins are
 * about to turn forwarding on; without this the host would lose its own default route when the router's last word expires.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE
 */
export async function keepRouterAdvertisements(run: ExecPlugin, signal: AbortSignal | undefined): Promise<void> {
  // Not `read`: it asks for a byte at a time, and these files give nothing after the first.
  const script = `cd ${settings} && [ "$(cat all/forwarding)" = 0 ] || exit 0
for setting in */accept_ra; do
  [ "$(cat "$setting")" != 1 ] || echo 2 > "$setting" || exit 1
done`;
  const { exitCode, stderr } = await run({ file: '/bin/sh', args: ['-c', script], env, stdin: '', signal });
  if (exitCode === 0) return;
  const message = `cannot forward IPv6 without losing the host's own routes: ${stderr.trim().slice(0, 200)}`;
  throw new Stage1Error('ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE', message);
}
