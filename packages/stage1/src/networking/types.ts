// SPDX-License-Identifier: Apache-2.0
import type { NetworkRequest, PodNetwork, PodPort } from '../runtime.ts';
import type { NetworkDns } from './cni-result.ts';
import type { NetworkConfig } from './network-config.ts';

export type PortForward = PodPort;

/** Everything needed to undo an interface, whatever has become of the configuration since. Plain JSON. */
export interface Attachment {
  readonly ifName: string;
  /** As it was run, port forwarding included. */
  readonly network: NetworkConfig;
  readonly args?: string;
  readonly ports: readonly PortForward[];
  /** The host drops what it forwards, so that there are rules which let this interface's packets through. */
  readonly opensForwarding?: boolean;
  /** The last plugin's answer; absent when the ADD did not end. */
  readonly result?: Readonly<Record<string, unknown>>;
}

/** An interface of the pod. Plain JSON, to be kept with the pod for {@link Networking.teardown}. */
export interface NetworkResult extends PodNetwork {
  readonly dns: NetworkDns;
  readonly attachment: Attachment;
}

export interface SetupOptions {
  readonly podId: string;
  /** The pod's network namespace, e.g. `/proc/123/ns/net`. */
  readonly netnsPath: string;
  /** In the order of the interfaces eth0, eth1, … `all` stands for `default` and everything configured. */
  readonly requests: readonly NetworkRequest[];
  /** Host port 0 is any from 49152 to 65535 that nobody has; the results say which. */
  readonly ports: readonly PortForward[];
  readonly signal?: AbortSignal;
}

export interface TeardownOptions {
  readonly podId: string;
  /** Absent when the namespace is gone; what lies outside of it is undone all the same. */
  readonly netnsPath?: string;
  /** What `setup` returned. What it did not live to return is known from its own record. */
  readonly saved: readonly NetworkResult[];
  /** Look everywhere for what carries the pod's id, for want of notes about it. @default false */
  readonly thorough?: boolean;
  readonly signal?: AbortSignal;
}

export interface Networking {
  /**
   * Brings up `lo`, then every requested network. `host` needs nothing done and gives no results, and `none` only `lo`.
   * When one fails, those before it are undone. The plugins turn forwarding on (IPv6's only when a port is forwarded); it
   * stays on, for nobody can tell who else has come to need it.
   *
   * A forwarded port is reached at every address of the host, 127.0.0.1 and ::1 included, and by the pod itself. Where the
   * host drops what it forwards, as Docker has it, masquerading networks get rules of their own that let them through.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_NETWORK_NOT_FOUND, ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID,
   *   ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID, ERR_RKT_STAGE1_PLUGIN_MISSING, ERR_RKT_STAGE1_PLUGIN_FAILED,
   *   ERR_RKT_STAGE1_ADDRESS_UNAVAILABLE, ERR_RKT_STAGE1_PORT_IN_USE, ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE
   */
  setup(options: SetupOptions): Promise<readonly NetworkResult[]>;
  /**
   * Undoes `setup`, whole or half done, once or again. Everything is tried before the first failure is reported.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_PLUGIN_MISSING, ERR_RKT_STAGE1_PLUGIN_FAILED
   */
  teardown(options: TeardownOptions): Promise<void>;
  /** Ids of the pods for which something may still be held: an address, a rule, a forwarded port. */
  remembered(): Promise<readonly string[]>;
}
