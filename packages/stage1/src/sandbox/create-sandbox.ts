// SPDX-License-Identifier: Apache-2.0

import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PodManifest } from '@rkt/appc';
import { type RuntimeContext, requireManifest, requirePod, requireRoot } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { explained } from '../explained.ts';
import type { Flavor } from '../flavors/flavor.ts';
import { reviewPod, suitedFlavors } from '../flavors/review-pod.ts';
import {
  type Host,
  type HostProcess,
  holdUserNamespace,
  type Kernel,
  type NamespaceKind,
  type ProcessIdentity,
  type Syscalls,
} from '../host/index.ts';
import { mountPassage } from '../mounts/index.ts';
import type { NetworkResult } from '../networking/index.ts';
import type { IdRange } from '../oci-spec/index.ts';
import { checkSandbox } from '../pod/check-pod.ts';
import {
  type OwnedPod,
  type RunRecord,
  readTextFile,
  records,
  type SandboxRecord,
  writeFileAtomically,
} from '../pod/index.ts';
import { quote } from '../quote.ts';
import type { CreateSandboxOptions, PodId, SandboxSpec } from '../runtime.ts';
import { forwardedPorts } from './forwarded-ports.ts';
import { nameFiles } from './name-files.ts';
import { releaseSandbox } from './release-sandbox.ts';
import { initCgroup, requireInitPrograms, startInit } from './start-init.ts';

/** prepared -> running. What was made is undone when a later step fails; the pod is exited then. */
export async function createSandbox(
  context: RuntimeContext,
  id: PodId,
  options: CreateSandboxOptions = {},
): Promise<void> {
  options.signal?.throwIfAborted();
  requireRoot(context);
  if (context.owned.has(id)) return;
  const { pod, manifest, sandbox } = await claim(context, id, options);
  try {
    const flavor = await usableFlavor(context, sandbox.spec);
    reviewPod(flavor, { manifest, sandbox: sandbox.spec, mutable: sandbox.mutable });
    const ports = forwardedPorts(manifest);
    if (sandbox.spec.pid === 'pod') requireInitPrograms(context.host);
    options.signal?.throwIfAborted();
    // Before anything is made of it, whoever adds apps later reads it there; and not before it has been found possible.
    if (options.spec !== undefined) records.writeSandbox(pod.dir, sandbox, { durable: sandbox.ephemeral !== true });
    pod.moveTo('run', { durable: sandbox.ephemeral !== true });
    const hostNetwork =
      sandbox.spec.networks.some(({ name }) => name === 'host') || !flavor.traits.namespaces.includes('net');
    const hostname = sandbox.spec.hostname ?? `rkt-${id}`;
    const users = sandbox.spec.privateUsers ? await context.users.reserve(id, options.signal) : undefined;
    const { holder, identity } = await holdNamespaces(context, { flavor, hostname, hostNetwork, users });
    context.owned.set(id, { pod, holder });
    const times = { createdAt: sandbox.createdAt, startedAt: context.now() };
    const made = { ...times, flavor: flavor.name, holder: identity, hostname, hostNetwork, ...(users && { users }) };
    const note = (init?: ProcessIdentity): void => {
      records.writeRun(pod.dir, { ...made, ...(init && { init }), networks: [] });
    };
    note();
    const init = await initOf(context, { id, sandbox, flavor, run: made, note });
    const base = { ...made, ...(init && { init }) };
    const networks = await setUpNetworks(context, { id, sandbox, holder: identity, ports, signal: options.signal });
    const run: RunRecord = { ...base, networks };
    records.writeRun(pod.dir, run);
    writeNameFiles(pod.dir, sandbox, run);
  } catch (error) {
    // The first failure is the one to tell; what could not be undone is found by gc.
    if (pod.stage === 'run') await releaseSandbox(context, pod).catch(() => undefined);
    pod.release();
    throw error;
  }
}

interface ClaimedPod {
  readonly pod: OwnedPod;
  readonly manifest: PodManifest;
  readonly sandbox: SandboxRecord;
}

async function claim(context: RuntimeContext, id: PodId, { spec, signal }: CreateSandboxOptions): Promise<ClaimedPod> {
  const location = requirePod(context, id);
  const { syscalls } = await context.host.kernel();
  const pod = location.stage === 'prepared' ? await context.pods.own(location, { syscalls, signal }) : undefined;
  try {
    const prepared = pod && records.readSandbox(pod.dir);
    if (pod !== undefined && prepared !== undefined) {
      const sandbox = spec === undefined ? prepared : respecified(prepared, spec);
      return { pod, manifest: requireManifest(location), sandbox };
    }
  } catch (error) {
    pod?.release();
    throw error;
  }
  pod?.release();
  throw new Stage1Error('ERR_RKT_STAGE1_POD_NOT_PREPARED', `pod ${id} is not prepared`);
}

function respecified(prepared: SandboxRecord, spec: Partial<SandboxSpec>): SandboxRecord {
  const sandbox = { ...prepared, spec: { ...prepared.spec, ...spec } };
  checkSandbox(sandbox.spec);
  return sandbox;
}

async function usableFlavor(context: RuntimeContext, spec: SandboxSpec): Promise<Flavor> {
  const reasons: string[] = [];
  for (const flavor of suitedFlavors(context, spec)) {
    const answer = await flavor.probe(context.host);
    if (answer.usable) return flavor;
    reasons.push(`${flavor.name}: ${answer.reason}`);
  }
  throw new Stage1Error('ERR_RKT_STAGE1_RUNTIME_MISSING', `no flavor is usable: ${reasons.join('; ')}`);
}

const failed = 'ERR_RKT_STAGE1_RUNTIME_FAILED';

interface HolderRequest {
  readonly flavor: Flavor;
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly users: IdRange | undefined;
}

/**
 * The pod's namespaces, kept by a process that ends with us however we end: it reads from a pipe only we write to. It
 * has a session of its own, or the terminal's interrupt would take the namespaces from under the apps.
 */
async function holdNamespaces(
  { host }: RuntimeContext,
  request: HolderRequest,
): Promise<{ readonly holder: HostProcess; readonly identity: ProcessIdentity }> {
  const kernel = await host.kernel();
  const kinds = request.flavor.traits.namespaces.filter((kind) => kind !== 'net' || !request.hostNetwork);
  const { users } = request;
  const holder =
    users === undefined
      ? holdOfHostsUsers(host, kernel, { ...request, kinds })
      : await holdOfOwnUsers(host, kernel, { ...request, users, kinds });
  const identity = host.processes.identify(holder.pid);
  if (identity === undefined) {
    await holder.exit;
    throw new Stage1Error('ERR_RKT_STAGE1_RUNTIME_FAILED', 'the process that keeps the namespaces ended at once');
  }
  holder.unref();
  return { holder, identity };
}

interface InitSetup {
  readonly id: PodId;
  readonly sandbox: SandboxRecord;
  readonly flavor: Flavor;
  readonly run: Pick<RunRecord, 'holder' | 'hostNetwork' | 'users'>;
  readonly note: (init: ProcessIdentity) => void;
}

/** The first process of the PID namespace of a pod that asks for one. */
async function initOf(
  { host }: RuntimeContext,
  { id, sandbox, flavor, run, note }: InitSetup,
): Promise<ProcessIdentity | undefined> {
  if (sandbox.spec.pid !== 'pod') return undefined;
  const { holder, hostNetwork, users } = run;
  const own = flavor.traits.namespaces.filter((kind) => kind !== 'net' || !hostNetwork);
  const kinds = [...own, ...(users === undefined ? [] : (['user'] as const))];
  return startInit(host, { holder, kinds, cgroup: initCgroup(id), note });
}

type SharedKind = Exclude<NamespaceKind, 'mnt'>;
type NamespaceRequest = HolderRequest & { readonly kinds: readonly SharedKind[] };

function holdOfHostsUsers(host: Host, { syscalls, namespaces }: Kernel, request: NamespaceRequest): HostProcess {
  const work = (): HostProcess => {
    prepareMounts(host, syscalls, request);
    nameAndConnect(syscalls, request);
    const file = host.findExecutable('cat') ?? 'cat';
    return host.processes.spawn({ file, args: [], cwd: '/', stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  };
  const make = (): HostProcess => namespaces.inNew(['mnt', ...request.kinds], work);
  return explained("cannot make the pod's namespaces", make, failed);
}

/** The mount namespace stays the host's: what is mounted there for the pod, its own root could not mount. */
async function holdOfOwnUsers(
  host: Host,
  { syscalls, namespaces }: Kernel,
  request: NamespaceRequest & { readonly users: IdRange },
): Promise<HostProcess> {
  const { kinds, users } = request;
  const holder = await holdUserNamespace(host, {
    users,
    kinds,
    prepareMounts: () => {
      prepareMounts(host, syscalls, request);
      explained('cannot make a way to root filesystems', () => mountPassage(syscalls));
    },
  });
  try {
    namespaces.inThoseOf(holder.pid, kinds, () => nameAndConnect(syscalls, request));
    return holder;
  } catch (error) {
    holder.signal('SIGKILL');
    throw error;
  }
}

function prepareMounts(host: Host, syscalls: Syscalls, { flavor }: HolderRequest): void {
  explained("cannot make the pod's mounts private", () => syscalls.makeSlave());
  explained(`cannot prepare the pod's mounts for flavor ${flavor.name}`, () => {
    flavor.prepareNamespace(host, syscalls);
  });
}

function nameAndConnect(syscalls: Syscalls, { hostname, hostNetwork, kinds }: NamespaceRequest): void {
  if (kinds.includes('uts')) {
    explained(`cannot set the pod's host name ${quote(hostname)}`, () => syscalls.sethostname(hostname), failed);
  }
  if (!hostNetwork) explained("cannot bring up the pod's loopback", () => syscalls.bringUpLoopback(), failed);
}

interface NetworkSetup {
  readonly id: PodId;
  readonly sandbox: SandboxRecord;
  readonly holder: ProcessIdentity;
  readonly ports: ReturnType<typeof forwardedPorts>;
  readonly signal: AbortSignal | undefined;
}

async function setUpNetworks(
  { networking }: RuntimeContext,
  { id, sandbox, holder, ports, signal }: NetworkSetup,
): Promise<readonly NetworkResult[]> {
  const requests = sandbox.spec.networks;
  // Loopback is up already, so a pod without networks needs no plugin.
  if (requests.every(({ name }) => name === 'none' || name === 'host') && ports.length === 0) return [];
  const netnsPath = `/proc/${holder.pid}/ns/net`;
  return networking.setup({ podId: id, netnsPath, requests, ports, ...(signal && { signal }) });
}

/** Below `etc/` of the pod; every app of it gets the same files. */
function writeNameFiles(dir: string, { spec }: SandboxRecord, run: RunRecord): void {
  const { hostname, hostNetwork, networks, users } = run;
  const host = {
    resolvConf: readTextFile('/etc/resolv.conf'),
    // systemd-resolved's own list of servers, where resolv.conf names only its stub on loopback.
    upstreamResolvConf: readTextFile('/run/systemd/resolve/resolv.conf'),
    hosts: readTextFile('/etc/hosts'),
  };
  const files = nameFiles({ spec, hostname, hostNetwork, networks, host });
  mkdirSync(join(dir, 'etc'));
  const contents = { 'resolv.conf': files.resolvConf, hosts: files.hosts, hostname: files.hostname };
  for (const [name, content] of Object.entries(contents)) {
    if (content === undefined) continue;
    const file = join(dir, 'etc', name);
    writeFileAtomically(file, content, { mode: 0o644 });
    // Images' own scripts add lines to them.
    if (users !== undefined) chownSync(file, users.first, users.first);
  }
}
