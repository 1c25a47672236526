// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import { isRecord } from './network-config.ts';
import type { CniCall } from './plugins.ts';

/** The error object of the CNI specification. Code 1: incompatible version. */
export interface CniFailure {
  readonly cniCode: number;
}

/** The error for a plugin that failed, out of what it wrote: an object of the specification, or whatever else. */
export function pluginFailure(request: CniCall, output: string, exitCode: number): Stage1Error {
  const answer = parseAnswer(output);
  const reason = answer ? [answer['msg'], answer['details']].filter(Boolean).join(': ') : output.trim();
  const code = answer?.['code'];
  const cause: CniFailure | undefined = typeof code === 'number' ? { cniCode: code } : undefined;
  const unavailable = addressUnavailable(request, reason);
  if (unavailable !== undefined) {
    return new Stage1Error('ERR_RKT_STAGE1_ADDRESS_UNAVAILABLE', unavailable, { cause });
  }
  const what = `CNI plugin ${quote(request.type)} failed to ${request.command} interface ${request.ifName}`;
  if (missingIptables.test(reason)) {
    const message = `${what}: iptables is not installed: install the Debian package iptables`;
    return new Stage1Error('ERR_RKT_STAGE1_PLUGIN_FAILED', message, { cause });
  }
  const message = `${what} of ${request.containerId} (exit status ${exitCode}): ${quote(reason, 600)}`;
  return new Stage1Error('ERR_RKT_STAGE1_PLUGIN_FAILED', message, { cause });
}

/** The CNI code a plugin failed with; undefined for every other error. */
export function cniCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Stage1Error) || !isRecord(error.cause)) return undefined;
  const code = error.cause['cniCode'];
  return typeof code === 'number' ? code : undefined;
}

/** The object a plugin wrote; undefined when it is none. */
export function parseAnswer(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The words of the plugins' iptables library, version 1.1 and before. */
const missingIptables = /exec: "?ip6?tables[\w-]*"?: executable file not found/;

/** The words of host-local, version 1.1 and before: an empty pool, and an address that was asked for (`IP=`) and is not given. */
const noAddress = /no IP addresses available in range set: ([\da-f.:,-]+)/;
const notThisAddress = /requested IP address ([\da-f.:]+) is not available in range set ([\da-f.:,-]+)/;
const foreignAddress = /failed to allocate all requested IPs: ([\da-f.:,]+)/;

function addressUnavailable({ config, args }: CniCall, reason: string): string | undefined {
  const network = `network ${quote(String(config['name']))}`;
  const [, requested, among] = notThisAddress.exec(reason) ?? [];
  if (requested !== undefined) return `${network} cannot give ${requested}: it is taken, or not one of ${among}`;
  const [, foreign] = foreignAddress.exec(reason) ?? [];
  if (foreign !== undefined) return `${network} cannot give ${foreign}: it is not one of the network's addresses`;
  const [, range] = noAddress.exec(reason) ?? [];
  if (range === undefined) return undefined;
  const asked = /(?:^|;)IP=([^;]*)/.exec(args ?? '')?.[1];
  if (asked !== undefined) return `${network} cannot give ${quote(asked)}: it is not a free one of ${range}`;
  return `${network} has no free address left of ${range}`;
}
