// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { type RuntimeContext, requireRoot } from '../context.ts';
import type { PodId, PrepareOptions } from '../runtime.ts';
import { checkPod } from './check-pod.ts';
import { records } from './records.ts';

/** embryo -> preparing -> prepared. A pod that fails on the way is an aborted prepare, which gc removes. */
export async function preparePod(context: RuntimeContext, options: PrepareOptions): Promise<PodId> {
  const { manifest, rootfs, sandbox, signal } = options;
  signal?.throwIfAborted();
  requireRoot(context);
  checkPod(options);
  const { syscalls } = await context.host.kernel();
  const id = randomUUID();
  const pod = context.pods.create(id, syscalls);
  try {
    pod.moveTo('prepare');
    await options.onDirectory?.(pod.dir);
    signal?.throwIfAborted();
    records.writeManifest(pod.dir, manifest);
    records.writeSandbox(pod.dir, { createdAt: context.now(), spec: sandbox, rootfs });
    pod.moveTo('prepared');
    return id;
  } finally {
    pod.release();
  }
}
