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
 *
 * They are IPv4, as Docker's and podman's are. With `ip6` a pod has an address of a unique local range (RFC 4193) as well,
 * for ports of the host that are to be reached over IPv6.
 */
export function builtInNetworks(options: {
  readonly ipamDir: string;
  /** Bytes; the host's own, so that packets are not larger than its uplink takes. Undefined leaves it to the kernel. */
  readonly mtu: number | undefined;
  readonly ip6: boolean;
}): readonly NetworkConfig[] {
  const families = options.ip6 ? [4, 6] : [4];
  const network = (name: string, subnets: Subnets, open: boolean): NetworkConfig => ({
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
          ranges: families.map((family) => [{ subnet: family === 4 ? subnets.ip : subnets.ip6 }]),
          ...(open && { routes: families.map((family) => ({ dst: family === 4 ? '0.0.0.0/0' : '::/0' })) }),
        },
      },
    ],
  });
  return [
    network('default', { ip: '172.16.28.0/24', ip6: 'fd72:6b74:1c::/64' }, true),
    network('default-restricted', { ip: '172.16.29.0/24', ip6: 'fd72:6b74:1d::/64' }, false),
  ];
}

interface Subnets {
  readonly ip: string;
  readonly ip6: string;
}
