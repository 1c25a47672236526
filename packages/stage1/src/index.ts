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
  FlavorTraits,
  PodContext,
  StartedApp,
  StartRequest,
} from './flavors/flavor.ts';
export { createFlyFlavor } from './flavors/fly/fly-flavor.ts';
export { type ResolvedApp, resolveApp } from './flavors/image/resolve-app.ts';
export { createOciFlavor, type OciFlavorOptions } from './flavors/oci/oci-flavor.ts';
export type { Health } from './health/health.ts';
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
export { notifyService, type ServiceState } from './host/notify-service.ts';
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
export {
  appEnvironment,
  type CommandInput,
  checkedCommand,
  type EnvironmentContext,
  type HostLimits,
  type IdRange,
  type InsecureOptions,
  type OciMount,
  type OciProcess,
  type ResolvedUser,
  type ResourceLimit,
  type TerminalSize,
} from './oci-spec/index.ts';
export { type AppChoice, chooseApp } from './pod/choose-app.ts';
export { isPodId } from './pod/index.ts';
export type {
  AbortOptions,
  AppDefinition,
  Attachment,
  AttachOptions,
  CheckHealthOptions,
  CreateSandboxOptions,
  DetachOptions,
  DnsOptions,
  EnterOptions,
  GcEvent,
  Listeners,
  LogOptions,
  MonitorOptions,
  NetworkRequest,
  Pod,
  PodApp,
  PodGcOptions,
  PodId,
  PodNetwork,
  PodPort,
  PodReview,
  PodState,
  PrepareOptions,
  ReleaseOptions,
  RootfsSource,
  RunningApp,
  Runtime,
  SandboxSpec,
  SignalOptions,
  StartAppOptions,
  StdioMode,
  StopOptions,
  WaitOptions,
  WaitPodOptions,
} from './runtime.ts';
