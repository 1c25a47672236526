// SPDX-License-Identifier: Apache-2.0
import { type RuntimeContext, requireRoot } from '../context.ts';
import { review } from '../flavors/review-pod.ts';
import { randomUuid } from '../host/index.ts';
import { planVolumes, removeTree } from '../mounts/index.ts';
import type { PodId, PrepareOptions } from '../runtime.ts';
import { checkPod } from './check-pod.ts';
import { syncDirectory } from './files.ts';
import type { OwnedPod } from './pod-directory.ts';
import { records } from './records.ts';

/** embryo -> preparing -> prepared. Nothing is left of a pod that fails on the way; of one that is killed, gc sees to it. */
export async function preparePod(context: RuntimeContext, options: PrepareOptions): Promise<PodId> {
  const { manifest, rootfs, sandbox, ephemeral = false, mutable = false, signal } = options;
  signal?.throwIfAborted();
  requireRoot(context);
  checkPod(options);
  review(context, { manifest, sandbox, mutable });
  for (const app of manifest.apps) planVolumes(manifest, app);
  const { syscalls } = await context.host.kernel();
  const id = randomUuid();
  const pod = context.pods.create(id, syscalls);
  try {
    pod.moveTo('prepare');
    await options.onDirectory?.(pod.dir);
    signal?.throwIfAborted();
    const durable = !ephemeral;
    const record = {
      createdAt: context.now(),
      spec: sandbox,
      rootfs,
      ...(ephemeral && { ephemeral }),
      ...(mutable && { mutable }),
    };
    records.writeManifest(pod.dir, manifest, { durable });
    records.writeSandbox(pod.dir, record, { durable });
    // Both files' names at once.
    if (durable) syncDirectory(pod.dir);
    pod.moveTo('prepared', { durable });
    return id;
  } catch (error) {
    // The first failure is the one to tell; what cannot be deleted now is found by gc.
    await discard(context, pod).catch(() => undefined);
    throw error;
  } finally {
    pod.release();
  }
}

async function discard({ host }: RuntimeContext, pod: OwnedPod): Promise<void> {
  if (pod.stage === 'embryo' || pod.stage === 'prepare') pod.moveTo('garbage');
  await removeTree(host, pod.dir);
}
