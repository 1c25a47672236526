// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { chosenApp, type RuntimeContext, requirePod } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { type LogEntry, monitorFiles } from '../monitor/index.ts';
import { records } from '../pod/index.ts';
import type { LogOptions, PodId } from '../runtime.ts';

/**
 * What a detached app has written.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_LOG_NOT_FOUND when its output went elsewhere, ERR_RKT_STAGE1_APP_UNSPECIFIED
 */
export async function* readLogs(context: RuntimeContext, id: PodId, options: LogOptions = {}): AsyncIterable<LogEntry> {
  const { tail, since, follow = false, signal } = options;
  const location = requirePod(context, id);
  const name = chosenApp(location, options.app);
  const { log } = monitorFiles(location.dir, name);
  if (!existsSync(log)) {
    const message = `app "${name}" of pod ${id} has no log: its output is kept only when it is run detached`;
    throw new Stage1Error('ERR_RKT_STAGE1_LOG_NOT_FOUND', message);
  }
  const ended = (): boolean => hasEnded(context, id, name);
  const { readLog } = await import('../monitor/read-log.ts');
  yield* readLog(log, { tail, since, ended: follow ? ended : undefined, signal });
}

/** The status is written after the last of the output. A pod that is gone writes no more. */
function hasEnded({ host, pods }: RuntimeContext, id: PodId, name: string): boolean {
  const location = pods.locate(id);
  const record = location && records.readApp(location.dir, name);
  if (record === undefined || record.finishedAt !== undefined) return true;
  // On record as soon as the app has been started, unless it had ended by then.
  const { startedAt, monitor } = record;
  return startedAt !== undefined && !(monitor && host.processes.isAlive(monitor));
}
