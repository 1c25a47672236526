// SPDX-License-Identifier: Apache-2.0
import { defaultHost, type RegistryHost } from '@rkt/registry';
import type { InsecureOption } from '../args/global-flags.ts';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Mirror, RegistryRule } from './config/config.ts';

/**
 * The hosts that stand for a domain: its mirrors in the order configured, then the registry itself. Plain HTTP is used
 * for loopback, for what is configured as insecure, and with `--insecure-options=http` where HTTPS fails.
 * @throws {CliError} ERR_RKT_CLI_UNSUPPORTED for a domain that is blocked
 */
export function hostsOf(
  domain: string,
  rule: RegistryRule | undefined,
  insecure: ReadonlySet<InsecureOption>,
): readonly RegistryHost[] {
  if (rule?.blocked === true) {
    throw new CliError('ERR_RKT_CLI_UNSUPPORTED', `registry ${quote(domain)} is blocked by the configuration`);
  }
  const skipsTls = insecure.has('tls');
  const own = relaxed(defaultHost(domain), {
    http: insecure.has('http') || rule?.insecure === true,
    tls: skipsTls || rule?.insecure === true,
  });
  return [...(rule?.mirrors ?? []).flatMap((mirror) => mirrorHosts(mirror, skipsTls)), ...own];
}

function mirrorHosts(mirror: Mirror, skipsTls: boolean): readonly RegistryHost[] {
  const slash = mirror.location.indexOf('/');
  const host = slash < 0 ? mirror.location : mirror.location.slice(0, slash);
  const prefix = slash < 0 ? {} : { prefix: mirror.location.slice(slash + 1) };
  const relaxation = { http: mirror.insecure, tls: mirror.insecure || skipsTls };
  return relaxed({ ...defaultHost(host), ...prefix }, relaxation);
}

/** A host over HTTPS first, and over plain HTTP after that if it is allowed. Loopback is plain HTTP already. */
function relaxed(
  host: RegistryHost,
  allow: { readonly http: boolean; readonly tls: boolean },
): readonly RegistryHost[] {
  if (host.origin.startsWith('http:')) return [host];
  const secure: RegistryHost = allow.tls ? { ...host, insecure: 'skip-tls-verify' } : host;
  if (!allow.http) return [secure];
  return [secure, { ...host, origin: host.origin.replace(/^https:/, 'http:'), insecure: 'http' }];
}
