// SPDX-License-Identifier: Apache-2.0
import { type Port, sanitizeAcName } from '@rkt/appc';
import { ConversionError, quote } from '../errors.ts';

const LAST_PORT = 65_535;

/**
 * Ports of an image, by name: `80/tcp` is `80-tcp`, a range `7000-7002/tcp` is one port with a count. Without a protocol
 * it is TCP, and the name is the number alone.
 *
 * @throws ConversionError `CONFIG_INVALID`
 */
export function toPorts(exposed: readonly string[]): readonly Port[] {
  const byName = new Map<string, Port>();
  for (const text of exposed) {
    const port = toPort(text);
    byName.set(port.name, port);
  }
  return [...byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
}

function toPort(text: string): Port {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/([A-Za-z0-9]{1,16}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first < 1 || last < first || last > LAST_PORT) {
    const message = `port ${quote(text)} of the image: expected a port or a range from 1 to ${LAST_PORT}, and a protocol`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_CONFIG_INVALID', message, { actual: text.slice(0, 200) });
  }
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  return { name: sanitizeAcName(text), protocol, port: first, count: last - first + 1, socketActivated: false };
}
