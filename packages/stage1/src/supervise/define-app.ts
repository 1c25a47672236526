// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { PodManifest, Volume } from '@rkt/appc';
import { type RuntimeContext, requireManifest, requirePod, requireRoot, requireSandbox } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { planVolumes } from '../mounts/index.ts';
import { checkManifest } from '../pod/check-pod.ts';
import { type PodLocation, records, type SandboxRecord } from '../pod/index.ts';
import { quote } from '../quote.ts';
import type { AbortOptions, AppDefinition, PodId } from '../runtime.ts';
import { withLock } from './with-lock.ts';

export async function defineApp(
  context: RuntimeContext,
  id: PodId,
  definition: AppDefinition,
  { signal }: AbortOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  requireSandbox(context, location);
  requireMutable(location);
  await changing(context, location, signal, (pod) => withApp(pod, definition));
}

/** Takes an app out of the manifest of a mutable pod; of other pods it stays. */
export async function forgetApp(context: RuntimeContext, location: PodLocation, name: string): Promise<void> {
  if (records.readSandbox(location.dir)?.mutable !== true) return;
  await changing(context, location, undefined, ({ manifest, sandbox }) => {
    const { [name]: _, ...rootfs } = sandbox.rootfs;
    const apps = manifest.apps.filter((app) => app.name !== name);
    return { manifest: { ...manifest, apps }, sandbox: { ...sandbox, rootfs } };
  });
}

function requireMutable({ id, dir }: PodLocation): SandboxRecord {
  const sandbox = records.readSandbox(dir);
  if (sandbox?.mutable) return sandbox;
  throw new Stage1Error('ERR_RKT_STAGE1_POD_IMMUTABLE', `pod ${id} was made with all its apps and takes no others`);
}

interface Definitions {
  readonly manifest: PodManifest;
  readonly sandbox: SandboxRecord;
}

function withApp({ manifest, sandbox }: Definitions, { app, rootfs, volumes = [] }: AppDefinition): Definitions {
  const known = manifest.apps.find(({ name }) => name === app.name);
  if (known !== undefined && !isSame(known, app)) throw taken('app', app.name);
  const changed: PodManifest = {
    ...manifest,
    apps: known === undefined ? [...manifest.apps, app] : manifest.apps,
    volumes: withVolumes(manifest.volumes ?? [], volumes),
  };
  const sources = { ...sandbox.rootfs, [app.name]: rootfs };
  checkManifest(changed, sources, { fewestApps: 1, privateUsers: sandbox.spec.privateUsers === true });
  planVolumes(changed, app);
  return { manifest: changed, sandbox: { ...sandbox, rootfs: sources } };
}

function withVolumes(present: readonly Volume[], more: readonly Volume[]): readonly Volume[] {
  const added = more.filter((volume) => {
    const known = present.find(({ name }) => name === volume.name);
    if (known !== undefined && !isSame(known, volume)) throw taken('volume', volume.name);
    return known === undefined;
  });
  return [...present, ...added];
}

/** What is known has been written down and read, by which what is undefined gets lost. */
function isSame(known: unknown, given: unknown): boolean {
  return isDeepStrictEqual(known, JSON.parse(JSON.stringify(given)));
}

function taken(what: string, name: string): Stage1Error {
  const message = `invalid pod: multiple ${what}s with name ${quote(name)}`;
  return new Stage1Error('ERR_RKT_STAGE1_MANIFEST_INVALID', message);
}

/**
 * One change at a time. The root filesystem is written down before the app that has it, so that whoever is killed between
 * the two leaves an entry that means nothing.
 */
function changing(
  context: RuntimeContext,
  location: PodLocation,
  signal: AbortSignal | undefined,
  change: (pod: Definitions) => Definitions,
): Promise<void> {
  const { id, dir } = location;
  const lock = { file: join(dir, 'manifest.lock'), what: `the apps of pod ${id}`, signal };
  return withLock(context, lock, async () => {
    const { manifest, sandbox } = change({ manifest: requireManifest(location), sandbox: requireMutable(location) });
    // What runs need not survive a power cut.
    records.writeSandbox(dir, sandbox, { durable: false });
    records.writeManifest(dir, manifest, { durable: false });
  });
}
