// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import { type AttachTarget, attach, detach } from './attach.ts';
import { summariseResult } from './cni-result.ts';
import { type ExecPlugin, spawnPlugin } from './exec-plugin.ts';
import { createHostPorts, type HostPorts } from './host-ports.ts';
import type { NatFamily } from './iptables.ts';
import { loadNetworks } from './load-networks.ts';
import { masquerades } from './network-config.ts';
import { createPlugins, type Plugins } from './plugins.ts';
import { type AttachmentRecord, openRecord } from './record.ts';
import { planAttachments, requireForwarded, wantsHost } from './requests.ts';
import type { Attachment, Networking, NetworkResult, SetupOptions, TeardownOptions } from './types.ts';

export interface NetworkingOptions {
  /** `networks/` below it holds address reservations and what is needed to undo them. */
  readonly dataDir: string;
  /** Each may have a `net.d`; later ones win. */
  readonly configDirs: readonly string[];
  /** @default ['/usr/lib/cni', '/opt/cni/bin', '/usr/lib/rkt/plugins/net'] */
  readonly pluginDirs?: readonly string[];
  /** Runs plugins and iptables. @default spawnPlugin */
  readonly run?: ExecPlugin;
}

const defaultPluginDirs: readonly string[] = ['/usr/lib/cni', '/opt/cni/bin', '/usr/lib/rkt/plugins/net'];

interface Context {
  readonly plugins: Plugins;
  readonly record: AttachmentRecord;
  readonly hostPorts: HostPorts;
  readonly options: NetworkingOptions;
  readonly ipamDir: string;
}

/** Networks of pods by CNI plugins (specification 1.0.0). Any number of processes may use one data directory at once. */
export function createNetworking(options: NetworkingOptions): Networking {
  const run = options.run ?? spawnPlugin;
  const context: Context = {
    plugins: createPlugins(run, options.pluginDirs ?? defaultPluginDirs),
    record: openRecord(join(options.dataDir, 'networks', 'pods')),
    hostPorts: createHostPorts(run),
    options,
    ipamDir: join(options.dataDir, 'networks', 'ipam'),
  };
  return {
    setup: (setup) => setUp(context, setup),
    teardown: (teardown) => tearDown(context, teardown),
  };
}

async function setUp(context: Context, options: SetupOptions): Promise<readonly NetworkResult[]> {
  const { podId, netnsPath, signal } = options;
  signal?.throwIfAborted();
  checkPodId(podId);
  if (wantsHost(options.requests)) return [];
  const known = await loadNetworks(context.options.configDirs, context.ipamDir);
  const planned = planAttachments(options.requests, options.ports, known);
  await requirePlugins(context.plugins, planned);
  // A setup that died left its record. Its namespace may be this one or long gone; what is outside of it is undone.
  await tearDown(context, { podId, saved: [], ...(signal && { signal }) });
  await context.hostPorts.requireFree(
    planned.flatMap(({ ports }) => ports),
    signal,
  );
  if (options.onNotice && planned.length > 0 && (await context.hostPorts.dropsForwarding(signal))) {
    options.onNotice({ kind: 'forwarding-dropped' });
  }
  await context.record.write(podId, planned);
  const target: AttachTarget = { podId, netns: netnsPath, signal };
  const done: Attachment[] = [];
  try {
    await allOf([attach(context.plugins, loopback, target), attachInOrder(context.plugins, planned, { target, done })]);
    done.forEach(requireForwarded);
    await context.record.write(podId, done);
    return done.map(resultOf);
  } catch (error) {
    const undo = { podId, netnsPath, saved: done.map(resultOf) };
    // The first failure is the one to tell; the record stays for a later teardown when this one fails too.
    await tearDown(context, undo).catch(() => undefined);
    throw error;
  }
}

async function attachInOrder(
  plugins: Plugins,
  planned: readonly Attachment[],
  progress: { readonly target: AttachTarget; readonly done: Attachment[] },
): Promise<void> {
  for (const attachment of planned) progress.done.push(await attach(plugins, attachment, progress.target));
}

/** Unlike Promise.all, leaves nothing running behind a failure. */
async function allOf(work: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

async function tearDown(context: Context, options: TeardownOptions): Promise<void> {
  const { podId, signal } = options;
  signal?.throwIfAborted();
  checkPodId(podId);
  const attachments = merged(await context.record.read(podId), options.saved);
  const target: AttachTarget = { podId, netns: options.netnsPath ?? '', signal };
  const failures: unknown[] = [];
  for (const attachment of attachments.toReversed()) {
    await detach(context.plugins, attachment, target).catch((error: unknown) => failures.push(error));
  }
  const families = natFamilies(attachments);
  await context.hostPorts.sweep(podId, { families, signal }).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
  await context.record.remove(podId);
}

/** A namespace is born with its loopback interface down. The plugin needs no undoing: it goes with the namespace. */
const loopback: Attachment = {
  ifName: 'lo',
  network: { cniVersion: '1.0.0', name: 'lo', plugins: [{ type: 'loopback' }] },
  ports: [],
};

/** What the caller kept knows the results; the record knows of interfaces the caller never heard of. */
function merged(recorded: readonly Attachment[], saved: readonly NetworkResult[]): readonly Attachment[] {
  const byInterface = new Map(recorded.map((attachment) => [attachment.ifName, attachment]));
  for (const { attachment } of saved) byInterface.set(attachment.ifName, attachment);
  return [...byInterface.values()];
}

/** The nat tables that the plugins of these interfaces may have written to. */
function natFamilies(attachments: readonly Attachment[]): readonly NatFamily[] {
  const natting = attachments.filter(({ network, ports }) => masquerades(network) || ports.length > 0);
  // Without a result there is no telling how far the ADD came.
  const has = (family: 'ip' | 'ip6'): boolean =>
    natting.some(({ result }) => result === undefined || summariseResult(result)[family] !== undefined);
  return [...(has('ip') ? ['iptables' as const] : []), ...(has('ip6') ? ['ip6tables' as const] : [])];
}

/** Before anything is changed; an address plugin is run by another plugin, whose complaint would be less clear. */
async function requirePlugins(plugins: Plugins, attachments: readonly Attachment[]): Promise<void> {
  const types = [loopback, ...attachments].flatMap(({ network }) =>
    network.plugins.flatMap((plugin) => {
      const ipam = plugin['ipam'];
      const type = typeof ipam === 'object' && ipam !== null ? Reflect.get(ipam, 'type') : undefined;
      return typeof type === 'string' ? [plugin.type, type] : [plugin.type];
    }),
  );
  await Promise.all([...new Set(types)].map((type) => plugins.require(type)));
}

function resultOf(attachment: Attachment): NetworkResult {
  const { network, ifName } = attachment;
  return { netName: network.name, ifName, ...summariseResult(attachment.result ?? {}), attachment };
}

/** CNI specification 1.0.0, CNI_CONTAINERID; it also becomes a file name. */
function checkPodId(podId: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(podId)) return;
  throw new Stage1Error('ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID', `pod id ${quote(podId)} cannot name a container`);
}
