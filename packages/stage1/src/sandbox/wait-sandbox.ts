// SPDX-License-Identifier: Apache-2.0
import type { RuntimeContext } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { raced } from '../raced.ts';
import type { AbortOptions, PodId } from '../runtime.ts';

/** The process that keeps the namespaces ends with the sandbox, whoever stops it. It is a child of ours alone. */
export async function waitSandbox(context: RuntimeContext, id: PodId, { signal }: AbortOptions = {}): Promise<void> {
  const sandbox = context.owned.get(id);
  if (sandbox === undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_POD_NOT_RUNNING', `pod ${id} has no sandbox of this process`);
  }
  const { holder } = sandbox;
  // Without, nothing keeps this process from ending before.
  holder.ref();
  try {
    await raced(holder.exit, signal);
  } finally {
    holder.unref();
  }
}
