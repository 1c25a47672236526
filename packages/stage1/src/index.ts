// SPDX-License-Identifier: Apache-2.0
export { createRuntime, type RuntimeOptions } from './create-runtime.ts';
export { isStage1Error, Stage1Error, type Stage1ErrorCode } from './error.ts';
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
export type { Health } from './health/health.ts';
export {
  type Cgroups,
  createHost,
  type Host,
  type HostProcess,
  type Kernel,
  type NamespaceKind,
  type Namespaces,
  type Processes,
  type ProcessIdentity,
  type SpawnRequest,
  type Syscalls,
  SystemCallError,
} from './host/index.ts';
export { notifyService, type ServiceState } from './host/notify-service.ts';
export type { LogEntry, OutputChunk } from './monitor/index.ts';
export { createNetworking, type Networking, type NetworkingOptions, type NetworkResult } from './networking/index.ts';
export type { InsecureOptions } from './oci-spec/index.ts';
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
