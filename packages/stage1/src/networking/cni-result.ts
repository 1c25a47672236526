// SPDX-License-Identifier: Apache-2.0
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { isRecord } from './network-config.ts';

/** What resolv.conf(5) can say. */
export interface NetworkDns {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
  readonly domain?: string;
}

/** Of a CNI result (0.3.0 to 1.0.0), what a pod is told. */
export interface ResultSummary {
  readonly ip?: string;
  readonly ip6?: string;
  readonly dns: NetworkDns;
}

/** resolv.conf(5): glibc reads three nameservers; more is a mistake, not a configuration. */
const maxDnsEntries = 32;

const maxResultBytes = 64 * 1024;
const maxResultDepth = 8;

/**
 * What is wrong with a result that is to be kept and handed on; undefined when nothing is. CNI specification 1.0.0, "ADD
 * Success": lists of interfaces and addresses, both optional.
 */
export function faultOfResult(result: Readonly<Record<string, unknown>>): string | undefined {
  if (isDeeper(result, maxResultDepth)) return `it is nested more than ${maxResultDepth} levels deep`;
  if (JSON.stringify(result).length > maxResultBytes) return `it is larger than ${maxResultBytes} bytes`;
  const { ips = [], interfaces = [] } = result;
  if (!Array.isArray(ips) || !ips.every((entry) => isRecord(entry) && isCidr(entry['address']))) {
    return '"ips" is not a list of addresses with a prefix length';
  }
  if (!Array.isArray(interfaces) || !interfaces.every((entry) => isRecord(entry) && isLinkName(entry['name']))) {
    return '"interfaces" is not a list of names';
  }
  return undefined;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function isCidr(value: unknown): boolean {
  return typeof value === 'string' && /\/\d{1,3}$/.test(value) && isIP(address(value)) !== 0;
}

/** What the kernel takes for the name of an interface. */
function isLinkName(value: unknown): boolean {
  return typeof value === 'string' && /^[^/\s\p{Cc}]{1,15}$/u.test(value);
}

/** Takes what is well-formed; text that could smuggle a line into resolv.conf is not. */
export function summariseResult(result: Readonly<Record<string, unknown>>): ResultSummary {
  const addresses = list(result['ips']).flatMap((entry) => (isRecord(entry) ? [address(entry['address'])] : []));
  const ip = addresses.find(isIPv4);
  const ip6 = addresses.find(isIPv6);
  return { ...(ip !== undefined && { ip }), ...(ip6 !== undefined && { ip6 }), dns: dnsOf(result['dns']) };
}

function dnsOf(value: unknown): NetworkDns {
  const dns = isRecord(value) ? value : {};
  const domain = dns['domain'];
  return {
    nameservers: strings(dns['nameservers']).filter((entry) => isIP(entry) !== 0),
    search: strings(dns['search']).filter(isDomain),
    options: strings(dns['options']).filter((entry) => /^[a-zA-Z0-9:_-]{1,64}$/.test(entry)),
    ...(typeof domain === 'string' && isDomain(domain) && { domain }),
  };
}

/** `172.16.28.5/24` without the prefix length. */
function address(cidr: unknown): string {
  return typeof cidr === 'string' ? cidr.replace(/\/\d{1,3}$/, '') : '';
}

function isDomain(text: string): boolean {
  return text.length <= 253 && /^[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_.])?$/.test(text);
}

function strings(value: unknown): readonly string[] {
  return list(value)
    .filter((entry) => typeof entry === 'string')
    .slice(0, maxDnsEntries);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
