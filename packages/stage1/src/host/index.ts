// SPDX-License-Identifier: Apache-2.0
export { resizeTerminal } from './app-terminal.ts';
export type { Cgroups } from './cgroups.ts';
export { createHost, type Host, type Kernel } from './host.ts';
export type { MemoryWatch } from './kernel-log.ts';
export type { NamespaceKind, Namespaces } from './namespaces.ts';
export type { ProcessCalls, UserIds } from './process-calls.ts';
export type { HostProcess, Processes, ProcessIdentity, SpawnRequest } from './processes.ts';
export { randomUuid } from './random-uuid.ts';
export {
  type BindMount,
  type ErofsMount,
  type OverlayMount,
  type Syscalls,
  SystemCallError,
  type TmpfsMount,
} from './syscalls.ts';
export { holdUserNamespace } from './user-namespace.ts';
