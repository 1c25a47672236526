// SPDX-License-Identifier: Apache-2.0
import type { NamespacePath, PodNamespaces } from './input.ts';
import type { OciNamespace } from './spec.ts';

/** Mount and cgroup namespaces are the app's own; the others are the pod's, new, or (left out) the host's. */
export function linuxNamespaces(namespaces: PodNamespaces): readonly OciNamespace[] {
  return [
    { type: 'mount' },
    { type: 'cgroup' },
    ...namespace('pid', namespaces.pid),
    ...namespace('network', namespaces.network),
    ...namespace('ipc', namespaces.ipc),
    ...namespace('uts', namespaces.uts),
  ];
}

/**
 * Lets an app without CAP_NET_RAW ping and one without CAP_NET_BIND_SERVICE listen on port 80. Both settings belong to
 * the pod's own network namespace; in the host's they would change the host.
 */
export function networkSysctls(namespaces: PodNamespaces): Readonly<Record<string, string>> | undefined {
  if (namespaces.network === 'host') return undefined;
  return { 'net.ipv4.ping_group_range': '0 2147483647', 'net.ipv4.ip_unprivileged_port_start': '0' };
}

function namespace(type: OciNamespace['type'], choice: NamespacePath | 'host' | 'new'): readonly OciNamespace[] {
  if (choice === 'host') return [];
  return choice === 'new' ? [{ type }] : [{ type, path: choice.path }];
}
