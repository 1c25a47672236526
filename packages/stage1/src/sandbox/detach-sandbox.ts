// SPDX-License-Identifier: Apache-2.0
import type { RuntimeContext } from '../context.ts';
import type { PodId } from '../runtime.ts';

/**
 * Leaves a sandbox this process made to the monitors of its apps, which hold the pod's lock, and to the apps, which hold
 * its namespaces. No app can be added any more. Idempotent.
 */
export async function detachSandbox({ owned }: RuntimeContext, id: PodId): Promise<void> {
  const sandbox = owned.get(id);
  if (sandbox === undefined) return;
  owned.delete(id);
  sandbox.holder.ref();
  sandbox.holder.signal('SIGKILL');
  await sandbox.holder.exit;
  sandbox.pod.release();
}
