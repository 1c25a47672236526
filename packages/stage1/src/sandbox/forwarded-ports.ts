// SPDX-License-Identifier: Apache-2.0
import type { ExposedPort, PodManifest, Port } from '@rkt/appc';
import { Stage1Error } from '../error.ts';
import { maxPorts, type PortForward } from '../networking/index.ts';
import { quote } from '../quote.ts';

/**
 * Every port of the host that leads to the pod; a port with a count stands for that many consecutive ones.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MANIFEST_INVALID for a name no app declares, a number or protocol there is not, or
 *   more than 4096 ports
 */
export function forwardedPorts(manifest: PodManifest): readonly PortForward[] {
  const declared = manifest.apps.flatMap(({ app }) => app.ports ?? []);
  // Counted on the way: each of many entries may stand for thousands, which would fill the memory before they are.
  let left = maxPorts;
  return (manifest.ports ?? []).flatMap((exposed) => {
    const port = exposed.podPort ?? declared.find(({ name }) => name === exposed.name);
    if (port === undefined) throw invalid(`port ${quote(exposed.name)} is not declared by any app`);
    const ports = forward(exposed, port);
    left -= ports.length;
    if (left < 0) throw invalid(`expected at most ${maxPorts} forwarded ports`);
    return ports;
  });
}

const protocols: readonly PortForward['protocol'][] = ['tcp', 'udp', 'sctp'];
const maxPort = 65_535;

function forward({ name, hostPort, hostIP }: ExposedPort, port: Port): readonly PortForward[] {
  const protocol = protocols.find((candidate) => candidate === port.protocol.toLowerCase());
  if (protocol === undefined)
    throw invalid(`protocol of port ${quote(name)} is ${quote(port.protocol)}, expected tcp, udp or sctp`);
  const count = Math.max(1, port.count);
  const last = Math.max(hostPort, port.port) + count - 1;
  const numbers = [port.port, count, ...(hostPort === 0 ? [] : [hostPort])];
  if (!numbers.every((number) => Number.isInteger(number) && number > 0) || last > maxPort) {
    throw invalid(
      `port ${quote(name)} is out of range: expected 1 to ${maxPort}, got ${hostPort}:${port.port}+${count}`,
    );
  }
  return Array.from({ length: count }, (_, index) => ({
    protocol,
    // Where it is left to us, each is chosen by itself.
    hostPort: hostPort === 0 ? 0 : hostPort + index,
    podPort: port.port + index,
    ...(hostIP !== undefined && { hostIP }),
  }));
}

function invalid(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_MANIFEST_INVALID', message);
}
