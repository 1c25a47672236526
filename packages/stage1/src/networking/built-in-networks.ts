// SPDX-License-Identifier: Apache-2.0
import type { NetworkConfig } from './network-config.ts';
import { preferredVersion } from './network-config.ts';

/**
 * The networks every host has: a veth pair per pod, addresses from a /24.
 *
 * The range of `default` is the one early releases used. Later ones moved to 172.31.0.0/16, which is the address range of
 * every default AWS network and inside the pool Docker takes its own networks from (172.17.0.0 to 172.31.255.255);
 * 172.16.28.0/24 is in neither. `default-restricted` has a range of its own, so that a pod in both has two addresses.
 * A file in net.d with the same name replaces either.
 */
export function builtInNetworks(options: {
  readonly ipamDir: string;
  /** Bytes; the host's own, so that packets are not larger than its uplink takes. Undefined leaves it to the kernel. */
  readonly mtu: number | undefined;
}): readonly NetworkConfig[] {
  const network = (name: string, subnet: string, open: boolean): NetworkConfig => ({
    cniVersion: preferredVersion,
    name,
    plugins: [
      {
        type: 'ptp',
        ipMasq: open,
        ...(options.mtu !== undefined && { mtu: options.mtu }),
        ipam: {
          type: 'host-local',
          dataDir: options.ipamDir,
          ranges: [[{ subnet }]],
          ...(open && { routes: [{ dst: '0.0.0.0/0' }] }),
        },
      },
    ],
  });
  return [network('default', '172.16.28.0/24', true), network('default-restricted', '172.16.29.0/24', false)];
}
