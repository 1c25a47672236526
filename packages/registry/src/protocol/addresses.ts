// SPDX-License-Identifier: Apache-2.0

/** A range of addresses: the first `bits` of `groups` are fixed. */
interface Range {
  readonly groups: readonly number[];
  readonly bits: number;
}

const v4 = (a: number, b: number, bits: number): Range => ({
  groups: [0, 0, 0, 0, 0, 0xffff, (a << 8) | b, 0],
  bits: 96 + bits,
});
const v6 = (first: number, bits: number): Range => ({ groups: [first, 0, 0, 0, 0, 0, 0, 0], bits });
const LOOPBACK_V6: Range = { groups: [0, 0, 0, 0, 0, 0, 0, 1], bits: 128 };

const LOOPBACK: readonly Range[] = [v4(127, 0, 8), LOOPBACK_V6];
/** "This machine" and "this link": never a place a remote registry may send a client to. */
const LOCAL: readonly Range[] = [...LOOPBACK, v4(0, 0, 8), v4(169, 254, 16), v6(0, 128), v6(0xfe80, 10)];
/** RFC 1918, RFC 6598, RFC 4193. */
const PRIVATE: readonly Range[] = [v4(10, 0, 8), v4(172, 16, 12), v4(192, 168, 16), v4(100, 64, 10), v6(0xfc00, 7)];

/** `localhost` (and names below it) and loopback addresses. Names are not looked up. */
export function isLoopback(url: URL): boolean {
  return isLocalName(url) || isIn(url, LOOPBACK);
}

/** Loopback, link-local and unspecified addresses, and `localhost`. */
export function isLocalAddress(url: URL): boolean {
  return isLocalName(url) || isIn(url, LOCAL);
}

/** Everything `isLocalAddress` names, and the private ranges. */
export function isPrivateAddress(url: URL): boolean {
  return isLocalAddress(url) || isIn(url, PRIVATE);
}

function isLocalName(url: URL): boolean {
  const name = url.hostname.toLowerCase().replace(/\.$/, '');
  return name === 'localhost' || name.endsWith('.localhost');
}

/**
 * Whether the address of a URL is one of `range`: an address, or one and the number of its first bits that count, as
 * `10.0.0.0/8` and `fd00::/8`. What is none has no addresses in it.
 */
export function isInRange(url: URL, range: string): boolean {
  const parsed = parseRange(range);
  return parsed !== undefined && isIn(url, [parsed]);
}

function isIn(url: URL, ranges: readonly Range[]): boolean {
  const address = parseAddress(url.hostname);
  return address !== undefined && ranges.some((range) => matches(address, range));
}

function parseRange(text: string): Range | undefined {
  const [, address = '', bits] = /^([0-9a-f:.]{2,45})(?:\/([0-9]{1,3}))?$/i.exec(text) ?? [];
  const isV6 = address.includes(':');
  // As in URLs, so that the spelling makes no difference; in them 1 and 0x1 are addresses, too.
  const url = `http://${isV6 ? `[${address}]` : address}`;
  if (!isV6 && !/^\d+\.\d+\.\d+\.\d+$/.test(address)) return undefined;
  const groups = URL.canParse(url) ? parseAddress(new URL(url).hostname) : undefined;
  const width = isV6 ? 128 : 32;
  const fixed = Number(bits ?? width);
  return groups === undefined || fixed > width ? undefined : { groups, bits: 128 - width + fixed };
}

/** Eight groups; IPv4 as its mapped IPv6 address, so that both spellings are one. `URL` has normalised the text. */
function parseAddress(hostname: string): readonly number[] | undefined {
  if (hostname.startsWith('[')) return parseV6(hostname.slice(1, -1));
  const octets = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.?$/.exec(hostname)?.slice(1).map(Number);
  if (octets === undefined) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  return [0, 0, 0, 0, 0, 0xffff, (a << 8) | b, (c << 8) | d];
}

function parseV6(text: string): readonly number[] {
  const [head = '', tail = ''] = text.split('::');
  const read = (half: string): number[] =>
    half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16));
  const before = read(head);
  const after = read(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function matches(address: readonly number[], range: Range): boolean {
  return range.groups.every((group, index) => {
    const bits = Math.min(16, Math.max(0, range.bits - index * 16));
    const mask = (0xffff << (16 - bits)) & 0xffff;
    return ((address[index] ?? 0) & mask) === (group & mask);
  });
}
