// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import type { ExecPlugin } from './exec-plugin.ts';
import { isRecord } from './network-config.ts';

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
   * @throws Stage1Error ERR_RKT_STAGE1_PLUGIN_MISSING, ERR_RKT_STAGE1_PLUGIN_FAILED (its `cause` is a {@link CniFailure}
   *   when the plugin said why)
   */
  call(call: CniCall): Promise<Readonly<Record<string, unknown>>>;
}

/** The error object of the CNI specification. Code 1: incompatible version. */
export interface CniFailure {
  readonly cniCode: number;
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
    if (exit.exitCode !== 0) throw failure(request, exit.stdout || exit.stderr, exit.exitCode);
    if (exit.stdout.trim() === '') return {};
    const answer = tryParse(exit.stdout);
    if (answer) return answer;
    throw failure(request, exit.stdout, 0);
  };
  return { require, call };
}

/** The CNI code a plugin failed with; undefined for every other error. */
export function cniCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Stage1Error) || !isRecord(error.cause)) return undefined;
  const code = error.cause['cniCode'];
  return typeof code === 'number' ? code : undefined;
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

/** The words of the plugins' iptables library, version 1.1 and before. */
const missingIptables = /exec: "?ip6?tables[\w-]*"?: executable file not found/;

function failure(request: CniCall, output: string, exitCode: number): Stage1Error {
  const answer = tryParse(output);
  const reason = answer ? [answer['msg'], answer['details']].filter(Boolean).join(': ') : output.trim();
  const what = `CNI plugin ${quote(request.type)} failed to ${request.command} interface ${request.ifName}`;
  const code = answer?.['code'];
  const cause: CniFailure | undefined = typeof code === 'number' ? { cniCode: code } : undefined;
  if (missingIptables.test(reason)) {
    const message = `${what}: iptables is not installed: install the Debian package iptables`;
    return new Stage1Error('ERR_RKT_STAGE1_PLUGIN_FAILED', message, { cause });
  }
  const message = `${what} of ${request.containerId} (exit status ${exitCode}): ${quote(reason, 600)}`;
  return new Stage1Error('ERR_RKT_STAGE1_PLUGIN_FAILED', message, { cause });
}

function tryParse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
