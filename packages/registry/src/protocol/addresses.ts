// SPDX-License-Identifier: Apache-2.0
import { BlockList, isIP, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Addresses that mean "this machine" or "this link": never a place a remote registry may send a client to. */
const local = new BlockList();
local.addSubnet('0.0.0.0', 8, 'ipv4');
local.addSubnet('127.0.0.0', 8, 'ipv4');
local.addSubnet('169.254.0.0', 16, 'ipv4');
local.addAddress('::', 'ipv6');
local.addAddress('::1', 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');

const privateRanges = new BlockList();
privateRanges.addSubnet('10.0.0.0', 8, 'ipv4');
privateRanges.addSubnet('172.16.0.0', 12, 'ipv4');
privateRanges.addSubnet('192.168.0.0', 16, 'ipv4');
privateRanges.addSubnet('100.64.0.0', 10, 'ipv4');
privateRanges.addSubnet('fc00::', 7, 'ipv6');

/** `localhost` (and names below it) and loopback addresses. Names are not looked up. */
export function isLoopback(url: URL): boolean {
  return isLocalName(url) || matches(url, loopback);
}

/** Loopback, link-local and unspecified addresses, and `localhost`. */
export function isLocalAddress(url: URL): boolean {
  return isLocalName(url) || matches(url, local);
}

/** Everything `isLocalAddress` names and the private ranges of RFC 1918, RFC 4193 and RFC 6598. */
export function isPrivateAddress(url: URL): boolean {
  return isLocalAddress(url) || matches(url, privateRanges);
}

function isLocalName(url: URL): boolean {
  const name = url.hostname.toLowerCase().replace(/\.$/, '');
  return name === 'localhost' || name.endsWith('.localhost');
}

function matches(url: URL, list: BlockList): boolean {
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  if (isIP(host) === 0) return false;
  return list.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}
