// SPDX-License-Identifier: Apache-2.0
export { buildOciSpec } from './build.ts';
export { knownCapabilities, processCapabilities } from './capabilities.ts';
export { appEnvironment, type EnvironmentContext } from './environment.ts';
export type {
  HostLimits,
  IdRange,
  InsecureOptions,
  NamespacePath,
  OciSpecInput,
  PodNamespaces,
  ResourceLimit,
  TerminalSize,
} from './input.ts';
export { readIsolators } from './isolators.ts';
export { orderedMounts } from './mounts.ts';
export { type CommandInput, checkedCommand } from './process.ts';
export type { SeccompProfile, SeccompRule } from './seccomp/profile.ts';
export type {
  OciCapabilities,
  OciDeviceRule,
  OciMount,
  OciNamespace,
  OciProcess,
  OciResources,
  OciRlimit,
  OciSpec,
} from './spec.ts';
export { type ResolvedUser, resolveUser, type UserRequest } from './user.ts';
