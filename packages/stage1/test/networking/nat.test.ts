// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { forwardedPorts } from '../../src/networking/iptables.ts';
import { leftovers } from '../../src/networking/nat-leftovers.ts';

const podId = '6f1b2c3d-0000-4000-8000-000000000001';
const comment = (id: string, prefix = '') => `-m comment --comment "${prefix}name: \\"default\\" id: \\"${id}\\""`;

/** As `iptables -t nat -S` of iptables 1.8.9 lists what the plugins 1.1.1 made. */
const shared = [
  '-P PREROUTING ACCEPT',
  '-N CNI-HOSTPORT-DNAT',
  '-N CNI-HOSTPORT-MASQ',
  '-N CNI-HOSTPORT-SETMARK',
  '-N OTHER',
  '-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
  '-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
  '-A OUTPUT -j OTHER',
  '-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ',
  '-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE',
  '-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000',
];
const forwarding = [
  '-N CNI-DN-f867232bf917b33f69dd0',
  '-A CNI-DN-f867232bf917b33f69dd0 -s 172.16.28.0/24 -p tcp -m tcp --dport 18080 -j CNI-HOSTPORT-SETMARK',
  '-A CNI-DN-f867232bf917b33f69dd0 -p tcp -m tcp --dport 18080 -j DNAT --to-destination 172.16.28.2:80',
  '-A CNI-DN-f867232bf917b33f69dd0 -d 192.0.2.2/32 -p udp -m udp --dport 53 -j DNAT --to-destination 172.16.28.2:53',
  `-A CNI-HOSTPORT-DNAT -p tcp ${comment(podId, 'dnat ')} -m multiport --dports 18080 -j CNI-DN-f867232bf917b33f69dd0`,
];
const masquerading = [
  '-N CNI-f867232bf917b33f69dd0dec',
  `-A POSTROUTING -s 172.16.28.2/32 ${comment(podId)} -j CNI-f867232bf917b33f69dd0dec`,
  `-A CNI-f867232bf917b33f69dd0dec -d 172.16.28.0/24 ${comment(podId)} -j ACCEPT`,
  `-A CNI-f867232bf917b33f69dd0dec ! -d 224.0.0.0/4 ${comment(podId)} -j MASQUERADE`,
];

describe('leftovers', () => {
  it('removes the shared chains, and the jumps to them, when no port is forwarded', () => {
    expect(leftovers(shared, podId)).toEqual({
      own: [],
      unused: [
        '-D PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
        '-D OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
        '-D POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ',
        '-F CNI-HOSTPORT-MASQ',
        '-F CNI-HOSTPORT-SETMARK',
        '-X CNI-HOSTPORT-DNAT',
        '-X CNI-HOSTPORT-MASQ',
        '-X CNI-HOSTPORT-SETMARK',
      ],
    });
  });

  it('leaves them while any container forwards a port', () => {
    expect(leftovers([...shared, ...forwarding], 'another-pod')).toEqual({ own: [], unused: [] });
  });

  it('removes the masquerading of the pod and nobody else’s', () => {
    expect(leftovers(masquerading, podId).own).toEqual([
      `-D POSTROUTING -s 172.16.28.2/32 ${comment(podId)} -j CNI-f867232bf917b33f69dd0dec`,
      '-F CNI-f867232bf917b33f69dd0dec',
      '-X CNI-f867232bf917b33f69dd0dec',
    ]);
    expect(leftovers(masquerading, podId.replace(/1$/, '2')).own).toEqual([]);
  });

  it('finds nothing in a table without our chains', () => {
    expect(leftovers(['-P INPUT ACCEPT', '-N DOCKER', '-A PREROUTING -j DOCKER'], podId)).toEqual({
      own: [],
      unused: [],
    });
  });
});

describe('forwardedPorts', () => {
  it('reads port, protocol, address and container', () => {
    expect(forwardedPorts([...shared, ...forwarding])).toEqual([
      { protocol: 'tcp', hostPort: 18_080, owner: podId },
      { protocol: 'udp', hostPort: 53, hostIP: '192.0.2.2', owner: podId },
    ]);
  });
});
