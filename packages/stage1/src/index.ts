// SPDX-License-Identifier: Apache-2.0
export { createRuntime, type RuntimeOptions } from './create-runtime.ts';
export {
  isStage1Error,
  type NetworkErrorCode,
  type OciSpecErrorCode,
  type PodErrorCode,
  Stage1Error,
  type Stage1ErrorCode,
} from './error.ts';
export type {
  AppContext,
  AppRemains,
  EnterRequest,
  Flavor,
  PodContext,
  StartedApp,
  StartRequest,
} from './flavors/flavor.ts';
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
  type Processes,
  type ProcessIdentity,
  type SpawnRequest,
  type Syscalls,
  SystemCallError,
} from './host/index.ts';
export type { LogEntry, OutputChunk } from './monitor/index.ts';
export {
  type Attachment as NetworkAttachment,
  createNetworking,
  type ExecPlugin,
  type NetworkConfig,
  type NetworkDns,
  type Networking,
  type NetworkingOptions,
  type NetworkResult,
  type PluginConfig,
  type PluginExit,
  type PluginInvocation,
  type PortForward,
  type SetupOptions,
  type TeardownOptions,
} from './networking/index.ts';
export type { HostLimits, IdRange, InsecureOptions, OciMount, ResourceLimit, TerminalSize } from './oci-spec/index.ts';
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
