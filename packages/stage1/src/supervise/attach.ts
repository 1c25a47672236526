// SPDX-License-Identifier: Apache-2.0
import { chosenApp, type RuntimeContext, requirePod, requireRoot } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { resizeTerminal } from '../host/index.ts';
import { monitorFiles } from '../monitor/index.ts';
import type { TerminalSize } from '../oci-spec/index.ts';
import { records } from '../pod/index.ts';
import type { Attachment, AttachOptions, PodId } from '../runtime.ts';
import { isRunning } from './is-running.ts';

/**
 * Connects to the streams of a detached app.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_APP_NOT_RUNNING, ERR_RKT_STAGE1_APP_NOT_DETACHED, ERR_RKT_STAGE1_APP_UNSPECIFIED
 */
export async function attach(context: RuntimeContext, id: PodId, options: AttachOptions = {}): Promise<Attachment> {
  requireRoot(context);
  const { host } = context;
  const location = requirePod(context, id);
  const name = chosenApp(location, options.app);
  const record = records.readApp(location.dir, name);
  const ended = new Stage1Error('ERR_RKT_STAGE1_APP_NOT_RUNNING', `app "${name}" of pod ${id} does not run`);
  if (record === undefined || !isRunning(context, record)) throw ended;
  const { streams } = record;
  if (streams === undefined) {
    const message = `app "${name}" of pod ${id} runs in the foreground of another process`;
    throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_DETACHED', message);
  }
  const { connectMonitor } = await import('../monitor/connect-monitor.ts');
  const connection = await connectMonitor(host, monitorFiles(location.dir, name));
  if (connection === undefined) throw ended;
  const { syscalls } = await host.kernel();
  const fit = (size: TerminalSize): void => {
    if (record.process !== undefined) resizeTerminal(host, syscalls, { app: record.process, size });
  };
  const { output, write, close } = connection;
  return {
    ...{ output, write, close },
    hasStdin: streams.stdin,
    hasTerminal: streams.terminal,
    fitTerminal: ({ redraw = false } = {}) => {
      const size = host.terminalSize();
      if (size === undefined || !streams.terminal) return;
      if (redraw) fit({ width: size.width + 1, height: size.height + 1 });
      fit(size);
    },
  };
}
