// SPDX-License-Identifier: Apache-2.0
import { isStage1Error } from '../error.ts';
import { type AttachTarget, attach } from './attach.ts';
import { summariseResult } from './cni-result.ts';
import { checkPodId } from './container-id.ts';
import { droppedFamilies, forwardFromLoopback6, openForwarding } from './forward-rules.ts';
import { canForwardIPv6, keepRouterAdvertisements } from './host-ipv6.ts';
import type { NatFamily } from './iptables.ts';
import { loadNetworks } from './load-networks.ts';
import { masquerades } from './network-config.ts';
import type { NetworkContext } from './networking.ts';
import type { Plugins } from './plugins.ts';
import { checkPorts, isOfFamily, requireForwarded } from './port-requests.ts';
import { planAttachments, wantsHost } from './requests.ts';
import { tearDown } from './tear-down.ts';
import type { Attachment, NetworkResult, SetupOptions } from './types.ts';

/** How often ports are chosen anew when another pod has chosen one of them at the same time. */
const choices = 4;

/** See {@link Networking.setup}. */
export async function setUp(context: NetworkContext, options: SetupOptions): Promise<readonly NetworkResult[]> {
  const isChoosing = options.ports.some(({ hostPort }) => hostPort === 0);
  for (let left = isChoosing ? choices : 1; ; left--) {
    try {
      return await setUpOnce(context, options);
    } catch (error) {
      const isTaken = isStage1Error(error) && error.code === 'ERR_RKT_STAGE1_PORT_IN_USE';
      if (!isTaken || left === 1) throw error;
    }
  }
}

async function setUpOnce(context: NetworkContext, options: SetupOptions): Promise<readonly NetworkResult[]> {
  const { podId, netnsPath, signal } = options;
  signal?.throwIfAborted();
  checkPodId(podId);
  if (wantsHost(options.requests)) return [];
  const plan = await makePlan(context, options);
  await context.record.write(podId, plan.attachments);
  const target: AttachTarget = { podId, netns: netnsPath, signal };
  const done: Attachment[] = [];
  try {
    if (plan.ip6) await keepRouterAdvertisements(context.run, signal);
    await allOf([attach(context.plugins, loopback, target), attachInOrder(context, plan, { target, done })]);
    await context.record.write(podId, done);
    return done.map(resultOf);
  } catch (error) {
    const undo = { podId, netnsPath, saved: done.map(resultOf) };
    // The first failure is the one to tell; the record stays for a later teardown when this one fails too.
    await tearDown(context, undo).catch(() => undefined);
    throw error;
  }
}

interface Plan {
  readonly attachments: readonly Attachment[];
  /** The built-in networks give IPv6 addresses. */
  readonly ip6: boolean;
  readonly dropped: ReadonlySet<NatFamily>;
}

/** Everything that can be found wrong is, before anything is changed. */
async function makePlan(context: NetworkContext, options: SetupOptions): Promise<Plan> {
  const { podId, requests, signal } = options;
  const { run, configDirs, ipamDir } = context;
  checkPorts(options.ports);
  const ports = await context.hostPorts.choose(options.ports, signal);
  const ip6 = ports.some((port) => isOfFamily(port, 6)) && (await canForwardIPv6(run, signal));
  const known = await loadNetworks(configDirs, { ipamDir, ip6 });
  const planned = planAttachments(requests, ports, known);
  await requirePlugins(context.plugins, planned);
  // A setup that died left its record. Its namespace may be this one or long gone; what is outside of it is undone.
  await tearDown(context, { podId, saved: [], ...(signal && { signal }) });
  await context.hostPorts.requireFree(ports, signal);
  if (!planned.some(({ network }) => masquerades(network))) return { attachments: planned, ip6, dropped: new Set() };
  const dropped = await droppedFamilies(run, signal);
  const opensForwarding = (attachment: Attachment): boolean => dropped.size > 0 && masquerades(attachment.network);
  const attachments = planned.map((attachment) =>
    opensForwarding(attachment) ? { ...attachment, opensForwarding: true } : attachment,
  );
  return { attachments, ip6, dropped };
}

interface Progress {
  readonly target: AttachTarget;
  /** What has been attached, for whoever has to undo it. */
  readonly done: Attachment[];
}

async function attachInOrder(context: NetworkContext, plan: Plan, { target, done }: Progress): Promise<void> {
  const { run, plugins, hostPorts } = context;
  const { podId, signal } = target;
  for (const planned of plan.attachments) {
    const attachment = await attach(plugins, planned, target);
    done.push(attachment);
    requireForwarded(attachment);
    await openForwarding(run, attachment, { podId, signal, dropped: plan.dropped });
    if (attachment.ports.length === 0) continue;
    await forwardFromLoopback6(run, attachment, { podId, signal });
    await hostPorts.requireOwn(attachment.ports, podId, signal);
  }
}

/** Unlike Promise.all, leaves nothing running behind a failure. */
async function allOf(work: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** A namespace is born with its loopback interface down. The plugin needs no undoing: it goes with the namespace. */
const loopback: Attachment = {
  ifName: 'lo',
  network: { cniVersion: '1.0.0', name: 'lo', plugins: [{ type: 'loopback' }] },
  ports: [],
};

/** An address plugin is run by another plugin, whose complaint would be less clear. */
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
