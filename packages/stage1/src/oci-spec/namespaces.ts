// SPDX-License-Identifier: Apache-2.0
import type { NamespacePath, PodNamespaces } from './input.ts';
import type { OciIdMapping, OciMount, OciNamespace } from './spec.ts';

/** Mount and cgroup namespaces are the app's own; the others are the pod's, new, or (left out) the host's. */
export function linuxNamespaces(namespaces: PodNamespaces): readonly OciNamespace[] {
  return [
    { type: 'mount' },
    { type: 'cgroup' },
    ...namespace('pid', namespaces.pid),
    ...namespace('network', namespaces.network),
    ...namespace('ipc', namespaces.ipc),
    ...namespace('uts', namespaces.uts),
    ...(namespaces.user ? namespace('user', namespaces.user) : []),
  ];
}

/**
 * Lets an app without CAP_NET_RAW ping and one without CAP_NET_BIND_SERVICE listen on port 80. Both settings belong to
 * the pod's own network namespace; in the host's they would change the host.
 */
export function networkSysctls(namespaces: PodNamespaces): Readonly<Record<string, string>> | undefined {
  if (namespaces.network === 'host') return undefined;
  const lastGroup = namespaces.user ? namespaces.user.users.count - 1 : 2 ** 31 - 1;
  return { 'net.ipv4.ping_group_range': `0 ${lastGroup}`, 'net.ipv4.ip_unprivileged_port_start': '0' };
}

/** What the user namespace to be joined has; runtimes want to be told all the same. */
export function idMappings({ user }: PodNamespaces): {
  readonly uidMappings?: readonly OciIdMapping[];
  readonly gidMappings?: readonly OciIdMapping[];
} {
  if (user === undefined) return {};
  const mappings = [{ containerID: 0, hostID: user.users.first, size: user.users.count }];
  return { uidMappings: mappings, gidMappings: mappings };
}

const sysfs: OciMount = {
  destination: '/sys',
  type: 'sysfs',
  source: 'sysfs',
  options: ['nosuid', 'noexec', 'nodev', 'ro'],
};

/**
 * Only who has power over a network namespace gets a sysfs of it: with the host's network, a user namespace has to do with
 * the host's own, none of which it may write to.
 */
export function sysOf({ user, network }: PodNamespaces): OciMount {
  if (user === undefined || network !== 'host') return sysfs;
  return { ...sysfs, type: 'bind', source: '/sys', options: ['rbind', 'rprivate', 'nosuid', 'noexec', 'nodev', 'rro'] };
}

function namespace(type: OciNamespace['type'], choice: NamespacePath | 'host' | 'new'): readonly OciNamespace[] {
  if (choice === 'host') return [];
  return choice === 'new' ? [{ type }] : [{ type, path: choice.path }];
}
