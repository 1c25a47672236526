// SPDX-License-Identifier: Apache-2.0
import { chosenApp, type RuntimeContext, requirePod, requireRoot } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { setMark } from '../pod/app-marks.ts';
import { records } from '../pod/index.ts';
import type { PodId, SignalOptions } from '../runtime.ts';
import { isRunning } from './is-running.ts';

/**
 * Sends a signal to the first process of an app, whoever started it.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_APP_NOT_RUNNING, ERR_RKT_STAGE1_APP_UNSPECIFIED
 */
export async function signalApp(context: RuntimeContext, id: PodId, options: SignalOptions): Promise<void> {
  requireRoot(context);
  const location = requirePod(context, id);
  const name = chosenApp(location, options.app);
  const record = records.readApp(location.dir, name);
  if (record?.process === undefined || !isRunning(context, record)) {
    throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_RUNNING', `app "${name}" of pod ${id} does not run`);
  }
  // An app that is killed is not started again, as with docker and podman.
  if (options.name === 'SIGKILL') setMark(location.dir, name, 'stopped');
  context.host.processes.signal(record.process, options.name);
}
