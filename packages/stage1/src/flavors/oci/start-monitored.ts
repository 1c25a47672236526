// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { Stage1Error } from '../../error.ts';
import type { Host } from '../../host/index.ts';
import { monitorFiles } from '../../monitor/index.ts';
import { startConmon } from '../../monitor/start-conmon.ts';
import { passage } from '../../mounts/index.ts';
import { quote } from '../../quote.ts';
import type { MonitorOptions } from '../../runtime.ts';
import type { AppContext, StartedApp, StartRequest } from '../flavor.ts';
import { startFailure } from './failures.ts';
import { readyBundle } from './ready-bundle.ts';
import { globalArguments, type OciRuntime, takeRuntimeErrors } from './runtime-command.ts';

/**
 * Starts an app in nobody's foreground. The monitor stays in the mount namespace of the host, where what it executes at
 * the end belongs; only the runtime it has create the container is sent into the pod's.
 */
export async function startMonitored(
  host: Host,
  runtime: OciRuntime,
  context: AppContext,
  { stdio, signal, lockFd, monitor, again = false }: StartRequest & { readonly monitor: MonitorOptions },
): Promise<StartedApp> {
  const { pod, app } = context;
  const terminal = stdio === 'tty';
  const nsenter = host.findExecutable('nsenter');
  if (nsenter === undefined) {
    const message = 'nsenter is not installed (Debian package util-linux)';
    throw new Stage1Error('ERR_RKT_STAGE1_MONITOR_MISSING', message);
  }
  const { executable, place, owner } = await readyBundle(host, context, { terminal, signal });
  const namespace = `/proc/${pod.holder.pid}/ns/mnt`;
  const command = [runtime.path, ...globalArguments(runtime, place)];
  const created = await startConmon(host, {
    app: app.name,
    podDir: pod.dir,
    files: monitorFiles(pod.dir, app.name),
    runtime: [nsenter, `--mount=${namespace}`, ...(pod.users ? givingStreams(owner) : []), ...command],
    ...{ stdin: stdio !== 'inherit', terminal, options: monitor, lockFd, signal, again },
  });
  if ('refused' in created) {
    const errors = takeRuntimeErrors(place.log);
    throw startFailure(executable, errors.length > 0 ? errors : [quote(created.refused, 400)], 1);
  }
  // What has been created so far is removed with the sandbox.
  signal?.throwIfAborted();
  const { namespaces } = await host.kernel();
  const [file = '', ...args] = [...command, 'start', app.name];
  const stdioOfStart = ['ignore', 'ignore', 'ignore'] as const;
  const start = namespaces.inMount(namespace, () =>
    host.processes.spawn({ file, args, cwd: '/', stdio: stdioOfStart }),
  );
  const status = await start.exit;
  if (status !== 0) throw startFailure(executable, takeRuntimeErrors(place.log), status);
  return { pid: created.pid, monitor: { pid: created.monitorPid } };
}

/**
 * Makes the app's user the owner of conmon's pipes, so that it can open its streams by name: runc 1.1 cannot once it is in a
 * user namespace. crun 1.8 does so itself, and with the host's /dev/null, too, which conmon gives for what there is none of.
 */
function givingStreams({ uid, gid }: { readonly uid: number; readonly gid: number }): readonly string[] {
  const script = [
    `for fd in 0 1 2; do if [ -p /proc/self/fd/$fd ]; then chown ${uid}:${gid} /proc/self/fd/$fd; fi; done`,
    `[ -p /proc/self/fd/1 ] || exec >>${runtimeOutput}`,
    `[ -p /proc/self/fd/2 ] || exec 2>>${runtimeOutput}`,
    'if [ -p /proc/self/fd/0 ]; then exec "$@"; else : | "$@"; fi',
  ];
  return ['/bin/sh', '-c', script.join('; '), 'sh'];
}

/** Of an app with a terminal, whose output is not there. No app is named like this. */
const runtimeOutput = join(passage, '.output');
