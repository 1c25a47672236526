// SPDX-License-Identifier: Apache-2.0
export type { NetworkDns } from './cni-result.ts';
export { type ExecPlugin, type PluginExit, type PluginInvocation, spawnPlugin } from './exec-plugin.ts';
export type { NetworkConfig, PluginConfig } from './network-config.ts';
export { createNetworking, type NetworkingOptions } from './networking.ts';
export { checkPorts, maxPorts } from './port-requests.ts';
export type {
  Attachment,
  Networking,
  NetworkResult,
  PortForward,
  SetupOptions,
  TeardownOptions,
} from './types.ts';
