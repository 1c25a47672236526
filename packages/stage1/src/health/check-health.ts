// SPDX-License-Identifier: Apache-2.0
import { chosenApp, type RuntimeContext, requireApp, requirePod, requireRoot } from '../context.ts';
import { isStage1Error, Stage1Error } from '../error.ts';
import { records } from '../pod/index.ts';
import type { CheckHealthOptions, PodId } from '../runtime.ts';
import { enter } from '../supervise/enter.ts';
import { isRunning } from '../supervise/is-running.ts';
import { checkedHealth, type Health, unchecked } from './health.ts';
import { healthCheckOf } from './health-check.ts';

/** What the shell says of a command it does not find. */
const notFound = 127;

/** Executes the check of an app once, and notes what follows from it. Undefined for an app that has none. */
export async function checkHealth(
  context: RuntimeContext,
  id: PodId,
  { app, signal }: CheckHealthOptions = {},
): Promise<Health | undefined> {
  requireRoot(context);
  const location = requirePod(context, id);
  const name = chosenApp(location, app);
  const check = healthCheckOf(requireApp(location, name));
  const record = records.readApp(location.dir, name);
  if (record?.startedAt === undefined || !isRunning(context, record)) {
    throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_RUNNING', `app "${name}" of pod ${id} does not run`);
  }
  if (check === undefined) return undefined;
  const over = AbortSignal.timeout(check.timeoutMs);
  const waiting = signal === undefined ? over : AbortSignal.any([over, signal]);
  const exitCode = await statusOf(context, id, { name, command: check.command, over, waiting });
  const outcome = { checkedAt: context.now(), startedAt: record.startedAt, exitCode };
  const health = checkedHealth(records.readHealth(location.dir, name) ?? unchecked, check, outcome);
  records.writeHealth(location.dir, name, health);
  return health;
}

interface Attempt {
  readonly name: string;
  readonly command: readonly string[];
  readonly over: AbortSignal;
  readonly waiting: AbortSignal;
}

async function statusOf(
  context: RuntimeContext,
  id: PodId,
  { name, command, over, waiting }: Attempt,
): Promise<number | undefined> {
  try {
    return await enter(context, id, { app: name, command, tty: false, quiet: true, signal: waiting });
  } catch (error) {
    if (over.aborted) return undefined;
    // What cannot be executed fails, as it does with docker.
    if (isStage1Error(error) && error.code.startsWith('ERR_RKT_STAGE1_EXEC_')) return notFound;
    throw error;
  }
}
