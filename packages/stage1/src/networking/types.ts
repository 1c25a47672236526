// SPDX-License-Identifier: Apache-2.0
import type { NetworkRequest, PodNetwork } from '../runtime.ts';
import type { NetworkDns } from './cni-result.ts';
import type { NetworkConfig } from './network-config.ts';

/** A port of the host that leads to one of the pod. */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** 1-65535, as is `podPort`. */
  readonly hostPort: number;
  readonly podPort: number;
  /** An address of the host; every one when absent. */
  readonly hostIP?: string;
}

/** Everything needed to undo an interface, whatever has become of the configuration since. Plain JSON. */
export interface Attachment {
  readonly ifName: string;
  /** As it was run, port forwarding included. */
  readonly network: NetworkConfig;
  readonly args?: string;
  readonly ports: readonly PortForward[];
  /** The last plugin's answer; absent when the ADD did not end. */
  readonly result?: Readonly<Record<string, unknown>>;
}

/** An interface of the pod. Plain JSON, to be kept with the pod for {@link Networking.teardown}. */
export interface NetworkResult extends PodNetwork {
  readonly dns: NetworkDns;
  readonly attachment: Attachment;
}

/** A state of the host that will trouble the pod but is not this package's to change. */
export interface NetworkNotice {
  /** The policy of iptables' FORWARD chain is DROP (Docker sets it), so that the pod reaches no further than the host. */
  readonly kind: 'forwarding-dropped';
}

export interface SetupOptions {
  readonly podId: string;
  /** The pod's network namespace, e.g. `/proc/123/ns/net`. */
  readonly netnsPath: string;
  /** In the order of the interfaces eth0, eth1, … `all` stands for `default` and everything configured. */
  readonly requests: readonly NetworkRequest[];
  readonly ports: readonly PortForward[];
  /** What it throws fails the setup. Costs a look at iptables; absent, nothing is looked at. */
  readonly onNotice?: (notice: NetworkNotice) => void;
  readonly signal?: AbortSignal;
}

export interface TeardownOptions {
  readonly podId: string;
  /** Absent when the namespace is gone; what lies outside of it is undone all the same. */
  readonly netnsPath?: string;
  /** What `setup` returned. What it did not live to return is known from its own record. */
  readonly saved: readonly NetworkResult[];
  readonly signal?: AbortSignal;
}

export interface Networking {
  /**
   * Brings up `lo`, then every requested network. `host` needs nothing done and gives no results, and `none` only `lo`.
   * When one fails, those before it are undone. The plugins turn net.ipv4.ip_forward on; it stays on, for nobody can tell
   * who else has come to need it.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_NETWORK_NOT_FOUND, ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID,
   *   ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID, ERR_RKT_STAGE1_PLUGIN_MISSING, ERR_RKT_STAGE1_PLUGIN_FAILED,
   *   ERR_RKT_STAGE1_PORT_IN_USE, ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE
   */
  setup(options: SetupOptions): Promise<readonly NetworkResult[]>;
  /**
   * Undoes `setup`, whole or half done, once or again. Everything is tried before the first failure is reported.
   *
   * @throws Stage1Error ERR_RKT_STAGE1_PLUGIN_MISSING, ERR_RKT_STAGE1_PLUGIN_FAILED
   */
  teardown(options: TeardownOptions): Promise<void>;
}
