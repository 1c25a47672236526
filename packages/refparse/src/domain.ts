// SPDX-License-Identifier: Apache-2.0
import { isAlphanumeric, isDigit, isHex, isUpper, skipWhile } from './characters.ts';

const COLON = 0x3a;
const DOT = 0x2e;
const HYPHEN = 0x2d;
const MAX_DOMAIN = 255;
const MAX_PORT = 65_535;

/**
 * Whether the part before the first `/` is a registry host rather than the first component of a Docker Hub path.
 * Docker's rule: it has a dot, a colon or an upper-case letter, or is `localhost`.
 */
export function looksLikeDomain(part: string): boolean {
  if (part === 'localhost') return true;
  return skipWhile(part, 0, (unit) => unit !== DOT && unit !== COLON && !isUpper(unit)) < part.length;
}

/** Index of the first unit that makes `domain` no `host[:port]`, or undefined when it is one. */
export function domainFault(domain: string): number | undefined {
  if (domain.length > MAX_DOMAIN) return MAX_DOMAIN;
  const hostEnd = domain.startsWith('[') ? ipv6End(domain) : hostnameEnd(domain);
  if (hostEnd.fault !== undefined) return hostEnd.fault;
  return hostEnd.end === domain.length ? undefined : portFault(domain, hostEnd.end);
}

interface HostScan {
  readonly end: number;
  readonly fault: number | undefined;
}

/** Labels of letters, digits and inner hyphens, joined by dots. */
function hostnameEnd(domain: string): HostScan {
  let at = 0;
  for (;;) {
    const start = at;
    at = skipWhile(domain, at, (unit) => isAlphanumeric(unit) || unit === HYPHEN);
    if (at === start || domain.charCodeAt(start) === HYPHEN) return { end: at, fault: start };
    if (domain.charCodeAt(at - 1) === HYPHEN) return { end: at, fault: at - 1 };
    if (domain.charCodeAt(at) !== DOT) return { end: at, fault: undefined };
    at += 1;
  }
}

/** `[` RFC 4291 address without zone or dotted quad `]`: what a URL may contain and Docker accepts. */
function ipv6End(domain: string): HostScan {
  const close = skipWhile(domain, 1, (unit) => isHex(unit) || unit === COLON);
  if (domain.charAt(close) !== ']') return { end: close, fault: close };
  const address = domain.slice(1, close);
  const halves = address.split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const wellFormed = groups.every((group) => group.length >= 1 && group.length <= 4);
  const complete = halves.length === 1 ? groups.length === 8 : halves.length === 2 && groups.length <= 7;
  return { end: close + 1, fault: wellFormed && complete ? undefined : 1 };
}

function portFault(domain: string, colon: number): number | undefined {
  if (domain.charCodeAt(colon) !== COLON) return colon;
  const end = skipWhile(domain, colon + 1, isDigit);
  if (end !== domain.length || end === colon + 1) return end;
  const port = Number(domain.slice(colon + 1));
  return port >= 1 && port <= MAX_PORT ? undefined : colon + 1;
}
