// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import { faultOfResult } from './cni-result.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import { parseAnswer, pluginFailure } from './plugin-failure.ts';

/** CNI specification 1.0.0, "Parameters". */
export interface CniCall {
  readonly command: 'ADD' | 'DEL' | 'VERSION';
  readonly type: string;
  readonly containerId: string;
  /** Empty when the namespace is gone; DEL only. */
  readonly netns: string;
  readonly ifName: string;
  readonly args: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal | undefined;
}

/** Speaks the CNI protocol with the programs in the plugin directories. */
export interface Plugins {
  /** @throws Stage1Error ERR_RKT_STAGE1_PLUGIN_MISSING */
  require(type: string): Promise<string>;
  /**
   * The plugin's answer; empty for DEL.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_PLUGIN_MISSING, ERR_RKT_STAGE1_PLUGIN_FAILED, ERR_RKT_STAGE1_ADDRESS_UNAVAILABLE
   *   (the `cause` is a {@link CniFailure} when the plugin said why)
   */
  call(call: CniCall): Promise<Readonly<Record<string, unknown>>>;
}

/** Plugins run iptables and ip; they find them here, not where the caller's environment says. */
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function createPlugins(run: ExecPlugin, pluginDirs: readonly string[]): Plugins {
  const require = async (type: string): Promise<string> => {
    for (const dir of pluginDirs) {
      const path = join(dir, type);
      if (await isExecutable(path)) return path;
    }
    const places = pluginDirs.join(', ');
    const message = `CNI plugin ${quote(type)} is in none of ${places}; Debian has it in containernetworking-plugins`;
    throw new Stage1Error('ERR_RKT_STAGE1_PLUGIN_MISSING', message);
  };
  const call = async (request: CniCall): Promise<Readonly<Record<string, unknown>>> => {
    const file = await require(request.type);
    const exit = await run({
      file,
      args: [],
      env: environmentOf(request, pluginDirs),
      stdin: JSON.stringify(request.config),
      signal: request.signal,
    });
    if (exit.exitCode !== 0) throw pluginFailure(request, exit.stdout || exit.stderr, exit.exitCode);
    if (exit.stdout.trim() === '') return {};
    const answer = parseAnswer(exit.stdout);
    if (answer === undefined) throw pluginFailure(request, exit.stdout, 0);
    const fault = request.command === 'ADD' ? faultOfResult(answer) : undefined;
    if (fault === undefined) return answer;
    throw pluginFailure(request, JSON.stringify({ msg: `its result cannot be used: ${fault}` }), 0);
  };
  return { require, call };
}

function environmentOf(request: CniCall, pluginDirs: readonly string[]): Readonly<Record<string, string>> {
  return {
    PATH: searchPath,
    CNI_COMMAND: request.command,
    CNI_CONTAINERID: request.containerId,
    CNI_NETNS: request.netns,
    CNI_IFNAME: request.ifName,
    CNI_PATH: pluginDirs.join(':'),
    // A plugin refuses an argument it does not know, although another of the same chain may.
    CNI_ARGS: request.args === undefined ? 'IgnoreUnknown=1' : `IgnoreUnknown=1;${request.args}`,
  };
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
