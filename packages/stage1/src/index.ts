// SPDX-License-Identifier: Apache-2.0
export { createRuntime, type RuntimeOptions } from './create-runtime.ts';
export { isStage1Error, Stage1Error, type Stage1ErrorCode } from './error.ts';
export type {
  AppContext,
  AppRemains,
  EnterRequest,
  Flavor,
  FlavorTraits,
  PodContext,
  StartedApp,
  StartRequest,
} from './flavors/flavor.ts';
export { createFlyFlavor } from './flavors/fly/fly-flavor.ts';
export { type ResolvedApp, resolveApp } from './flavors/image/resolve-app.ts';
export { createOciFlavor, type OciFlavorOptions } from './flavors/oci/oci-flavor.ts';
export {
  type BindMount,
  type Cgroups,
  createHost,
  type ErofsMount,
  type Host,
  type HostProcess,
  type Kernel,
  type NamespaceKind,
  type Namespaces,
  type OverlayMount,
  type ProcessCalls,
  type Processes,
  type ProcessIdentity,
  type SpawnRequest,
  type Syscalls,
  SystemCallError,
  type TmpfsMount,
  type UserIds,
} from './host/index.ts';
export type { LogEntry, OutputChunk } from './monitor/index.ts';
export { createNetworking, type Networking, type NetworkingOptions, type NetworkResult } from './networking/index.ts';
export {
  appEnvironment,
  type CommandInput,
  checkedCommand,
  type EnvironmentContext,
  type HostLimits,
  type InsecureOptions,
  type OciMount,
  type OciProcess,
  type ResolvedUser,
  type ResourceLimit,
  type TerminalSize,
} from './oci-spec/index.ts';
export { isPodId } from './pod/index.ts';
export type {
  AbortOptions,
  AppDefinition,
  Attachment,
  AttachOptions,
  DnsOptions,
  EnterOptions,
  GcEvent,
  LogOptions,
  MonitorOptions,
  NetworkRequest,
  Pod,
  PodApp,
  PodGcOptions,
  PodId,
  PodNetwork,
  PodReview,
  PodState,
  PrepareOptions,
  RootfsSource,
  RunningApp,
  Runtime,
  SandboxSpec,
  SignalOptions,
  StartAppOptions,
  StdioMode,
  StopOptions,
  WaitOptions,
} from './runtime.ts';
