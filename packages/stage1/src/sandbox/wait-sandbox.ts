// SPDX-License-Identifier: Apache-2.0
import type { RuntimeContext } from '../context.ts';
import { Stage1Error } from '../error.ts';
import type { ProcessIdentity } from '../host/index.ts';
import { pause } from '../pause.ts';
import { records } from '../pod/index.ts';
import { raced } from '../raced.ts';
import type { AbortOptions, PodId } from '../runtime.ts';
import { orNothing } from './or-nothing.ts';

/**
 * The process that keeps the namespaces ends with the sandbox, whoever stops it. It is a child of ours alone. Without its PID
 * namespace a sandbox is none any more.
 */
export async function waitSandbox(context: RuntimeContext, id: PodId, { signal }: AbortOptions = {}): Promise<void> {
  const sandbox = context.owned.get(id);
  if (sandbox === undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_POD_NOT_RUNNING', `pod ${id} has no sandbox of this process`);
  }
  const { holder } = sandbox;
  // Without, nothing keeps this process from ending before.
  holder.ref();
  const over = new AbortController();
  try {
    const init = orNothing(() => records.readRun(sandbox.pod.dir))?.init;
    await raced(Promise.race([holder.exit, ...(init ? [endOf(context, init, over.signal)] : [])]), signal);
  } finally {
    over.abort();
    holder.unref();
  }
}

const intervalMs = 500;

/** Of a process that is no child of ours, or of the wait for it. */
async function endOf({ host }: RuntimeContext, process: ProcessIdentity, over: AbortSignal): Promise<void> {
  while (!over.aborted && host.processes.isAlive(process)) await pause(intervalMs, over).catch(() => undefined);
}
