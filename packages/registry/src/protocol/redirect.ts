// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import { isLocalAddress, isLoopback } from './addresses.ts';
import { redactUrl } from './sanitize.ts';

/** Where a request may be sent on to. */
export interface RedirectPolicy {
  /** Plain HTTP to hosts other than loopback is allowed, because the host entry says so. */
  readonly allowHttp: boolean;
}

/** True for the status codes that carry a Location to follow. */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * The URL a redirect leads to.
 *
 * @throws {RegistryError} ERR_RKT_REGISTRY_REDIRECT_REFUSED for a downgrade to HTTP, credentials in the URL, another
 * scheme, or a public host that points at this machine or link
 */
export function followRedirect(from: URL, location: string | undefined, policy: RedirectPolicy): URL {
  const refuse = (reason: string): RegistryError =>
    new RegistryError('ERR_RKT_REGISTRY_REDIRECT_REFUSED', `redirect from ${redactUrl(from)} refused: ${reason}`, {
      origin: from.origin,
    });
  if (location === undefined || !URL.canParse(location, from.href))
    throw refuse('its Location is missing or is no URL');
  const target = new URL(location, from);
  target.hash = '';
  const fault = redirectFault(from, target, policy);
  if (fault !== undefined) throw refuse(fault);
  return target;
}

/** Why one server may not send a client on to another, or undefined if it may. */
export function redirectFault(from: URL, target: URL, policy: RedirectPolicy): string | undefined {
  if (target.protocol !== 'https:' && target.protocol !== 'http:') return `scheme ${target.protocol}`;
  if (target.username !== '' || target.password !== '') return 'the target URL contains credentials';
  if (target.protocol === 'http:' && from.protocol === 'https:') return 'it leads from https to http';
  if (target.protocol === 'http:' && !isLoopback(target) && !policy.allowHttp) {
    return `${target.host} is not to be spoken to over plain http`;
  }
  if (isLocalAddress(target) && !isLocalAddress(from)) return `it leads to the local address ${target.host}`;
  return undefined;
}
