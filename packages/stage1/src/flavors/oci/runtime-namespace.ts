// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/index.ts';
import type { OciRuntime } from './runtime-command.ts';

/**
 * crun before 1.9 refuses a host that has version 1 controllers and a unified tree. Out of its sight, in a mount namespace
 * of ours, the unified tree does not disturb it.
 */
export function hideHybridMount(host: Host, { kind }: OciRuntime, syscalls: { unmount(target: string): void }): void {
  const { hybridMount } = host.cgroups;
  if (kind === 'crun' && hybridMount !== undefined) syscalls.unmount(hybridMount);
}

/** Works in a mount namespace that shows what the host's does, but for what disturbs the runtime. */
export async function inRuntimeNamespace<T>(host: Host, runtime: OciRuntime, work: () => T): Promise<T> {
  const { syscalls, namespaces } = await host.kernel();
  return namespaces.inNew(['mnt'], () => {
    syscalls.makeSlave();
    hideHybridMount(host, runtime, syscalls);
    return work();
  });
}
