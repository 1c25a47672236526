// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Host, type HostProcess, resizeTerminal } from '../../host/index.ts';
import { ignoreSurvivors, killMembers } from '../../kill-members.ts';
import { appMembers, readTextFile } from '../../pod/index.ts';
import type { AppContext, StartedApp, StartRequest } from '../flavor.ts';
import { standardStreams } from '../standard-streams.ts';
import { executionFailure, startFailure } from './failures.ts';
import { readyBundle } from './ready-bundle.ts';
import { globalArguments, type OciRuntime, takeRuntimeErrors } from './runtime-command.ts';
import { startNoted } from './runtime-process.ts';

/** The runtime stays in the foreground: it is the app's parent, passes signals on, and ends with the app's status. */
export async function startApp(
  host: Host,
  runtime: OciRuntime,
  context: AppContext,
  request: StartRequest,
): Promise<StartedApp> {
  const { pod, app } = context;
  const terminal = request.stdio === 'tty';
  const { executable, bundle, pidFile, place } = await readyBundle(host, context, {
    terminal,
    listeners: request.listeners,
    signal: request.signal,
  });
  const { namespaces, syscalls } = await host.kernel();
  const streams = standardStreams(host, syscalls, {
    stdin: request.stdio !== 'inherit',
    privateUsers: pod.users !== undefined,
  });
  const listeners = request.listeners?.fds ?? [];
  const preserved = listeners.length === 0 ? [] : ['--preserve-fds', String(listeners.length)];
  const spawn = (): HostProcess =>
    host.processes.spawn({
      file: runtime.path,
      args: [
        ...globalArguments(runtime, place),
        'run',
        ...preserved,
        '--bundle',
        bundle,
        '--pid-file',
        pidFile,
        app.name,
      ],
      cwd: '/',
      // The lock is after what the app is to have: it has none of the others.
      stdio: [streams.stdin, streams.stdout, streams.stderr, ...listeners, request.lockFd ?? 'ignore'],
      // A terminal's signals are for rkt to pass on, once; only a runtime that drives the terminal must be in its session.
      detached: !terminal,
    });
  const monitor = await startNoted(host, pod.dir, {
    app: app.name,
    spawn: () => namespaces.inMount(`/proc/${pod.holder.pid}/ns/mnt`, spawn),
  }).catch((error: unknown) => {
    streams.handedOver();
    throw error;
  });
  const { drained } = streams.handedOver();
  const failure = (status: number): Error => startFailure(executable, takeRuntimeErrors(place.log), status);
  const pid = await startedPid(monitor, { pidFile, failure, signal: request.signal });
  const exit = monitor.exit.then(async (status) => {
    // What still runs of it would be waited for; where the app is the first process, the kernel has ended it.
    // What does not end all the same takes nothing from the status; it keeps the app from being started again, or removed.
    if (pod.init !== undefined) await killMembers(host, appMembers(pod.id, app.name)).catch(ignoreSurvivors);
    await drained();
    const unexecuted = status === 0 ? undefined : executionFailure(executable, takeRuntimeErrors(place.log));
    if (unexecuted !== undefined) throw unexecuted;
    return status;
  });
  exit.catch(() => undefined);
  const first = host.processes.identify(pid);
  return {
    ...{ pid, monitor, exit },
    ...(terminal &&
      first && { resize: () => resizeTerminal(host, syscalls, { app: first, size: host.terminalSize() }) }),
  };
}

interface StartWait {
  readonly pidFile: string;
  readonly failure: (status: number) => Error;
  readonly signal: AbortSignal | undefined;
}

/** The file is written by the runtime when the app has been executed, so its presence is the way to know. */
async function startedPid(monitor: HostProcess, { pidFile, failure, signal }: StartWait): Promise<number> {
  let status: number | undefined;
  const ended = monitor.exit.then((code) => {
    status = code;
  });
  for (;;) {
    if (signal?.aborted) {
      // What the runtime had made so far is removed with the sandbox. It writes to the caller's own standard error, where
      // nobody wants to read that a part of it missed another.
      monitor.kill();
      await ended;
      throw signal.reason;
    }
    // Looked at before the file: an app that has come and gone has still been started.
    const over = status;
    const pid = statSync(pidFile, { throwIfNoEntry: false }) && Number.parseInt(readTextFile(pidFile) ?? '', 10);
    if (pid !== undefined && Number.isInteger(pid)) return pid;
    if (over !== undefined) throw failure(over);
    await Promise.race([ended, delay(2)]);
  }
}
