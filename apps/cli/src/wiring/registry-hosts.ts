// SPDX-License-Identifier: Apache-2.0
import type { Repository } from '@rkt/refparse';
import { defaultHost, type HostCapability, type RegistryHost } from '@rkt/registry';
import type { InsecureOption } from '../args/global-flags.ts';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { ContainersRule, Mirror, RegistryRule } from './config/config.ts';

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

/**
 * The hosts of a repository by the rule of `registries.conf` that is about it: the mirrors in their order, then the
 * location, each with the rest of the repository's path.
 * @throws {CliError} ERR_RKT_CLI_UNSUPPORTED for a repository that is blocked
 */
export function hostsOfRule(
  repository: Repository,
  rule: ContainersRule,
  insecure: ReadonlySet<InsecureOption>,
): readonly RegistryHost[] {
  const name = `${repository.domain}/${repository.path}`;
  if (rule.blocked) {
    throw new CliError('ERR_RKT_CLI_UNSUPPORTED', `${quote(name)} is blocked by containers' registries.conf`);
  }
  const slash = rule.prefix.indexOf('/');
  const strip = slash < 0 ? {} : { strip: rule.prefix.slice(slash + 1) };
  const tls = insecure.has('tls');
  const mirrors = rule.mirrors.flatMap((mirror) => {
    const capable = mirror.digestOnly ? { capabilities: new Set<HostCapability>(['pull']) } : {};
    return mirrorHosts(mirror, tls).map((host) => ({ ...host, ...strip, ...capable }));
  });
  const http = insecure.has('http') || rule.insecure;
  const relaxation = { http, tls: tls || rule.insecure };
  if (rule.location === undefined) return [...mirrors, ...relaxed(defaultHost(repository.domain), relaxation)];
  return [...mirrors, ...relaxed({ ...hostAt(rule.location), ...strip }, relaxation)];
}

function mirrorHosts(mirror: Mirror, skipsTls: boolean): readonly RegistryHost[] {
  const relaxation = { http: mirror.insecure, tls: mirror.insecure || skipsTls };
  return relaxed(hostAt(mirror.location), relaxation);
}

/** `host[:port][/path]`, the path put before that of the repository. */
function hostAt(location: string): RegistryHost {
  const slash = location.indexOf('/');
  if (slash < 0) return defaultHost(location);
  return { ...defaultHost(location.slice(0, slash)), prefix: location.slice(slash + 1) };
}

/**
 * A host over HTTPS first, and over plain HTTP after that if it is allowed. Loopback is plain HTTP already, and HTTPS
 * only where that is what it turns out to speak.
 */
function relaxed(
  host: RegistryHost,
  allow: { readonly http: boolean; readonly tls: boolean },
): readonly RegistryHost[] {
  const secure: RegistryHost = allow.tls ? { ...host, insecure: 'skip-tls-verify' } : host;
  if (!allow.http || host.origin.startsWith('http:')) return [secure];
  return [secure, { ...host, origin: host.origin.replace(/^https:/, 'http:'), insecure: 'http' }];
}
