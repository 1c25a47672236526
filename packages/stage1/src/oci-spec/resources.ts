// SPDX-License-Identifier: Apache-2.0
import type { AppIsolators } from './isolators.ts';
import type { OciDeviceRule, OciResources } from './spec.ts';

/** Microseconds; the kernel's default. */
const cpuPeriod = 100_000;
/** Microseconds; the kernel accepts nothing shorter. */
const minCpuQuota = 1000;

/** cgroup limits. Swap is left alone: many kernels account none and refuse the setting. */
export function linuxResources(isolators: AppIsolators): OciResources {
  const { memoryBytes, cpuMillicores, cpuShares, pids } = isolators;
  const quota = cpuMillicores === undefined ? undefined : Math.max(minCpuQuota, (cpuMillicores * cpuPeriod) / 1000);
  const cpu = {
    ...(cpuShares !== undefined && { shares: cpuShares }),
    ...(quota !== undefined && { quota, period: cpuPeriod }),
  };
  return {
    devices: deviceRules,
    ...(memoryBytes !== undefined && { memory: { limit: memoryBytes } }),
    ...(Object.keys(cpu).length > 0 && { cpu }),
    ...(pids !== undefined && { pids: { limit: pids } }),
  };
}

/** Every device may be made (its node is inert), and only these opened. Numbers: kernel "devices.txt". */
const deviceRules: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[
    [1, 3], // null
    [1, 5], // zero
    [1, 7], // full
    [1, 8], // random
    [1, 9], // urandom
    [5, 0], // tty
    [5, 2], // ptmx
  ].map(([major = 0, minor = 0]): OciDeviceRule => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' }, // pts
];
