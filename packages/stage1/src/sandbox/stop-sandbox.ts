// SPDX-License-Identifier: Apache-2.0

import { constants } from 'node:os';
import type { RuntimeApp } from '@rkt/appc';
import { type RuntimeContext, requireApp, requirePod, requireRoot } from '../context.ts';
import { eventually } from '../eventually.ts';
import { ignoreSurvivors } from '../kill-members.ts';
import { setMark } from '../pod/app-marks.ts';
import { type AppRecord, type PodLocation, records } from '../pod/index.ts';
import type { PodId, StopOptions } from '../runtime.ts';
import { appProcesses } from '../supervise/app-processes.ts';
import { isRunning } from '../supervise/is-running.ts';
import { appLock, tryWithLock } from '../supervise/with-lock.ts';
import { endLeftoversOf } from './end-leftovers.ts';
import { orNothing } from './or-nothing.ts';
import { releaseSandbox } from './release-sandbox.ts';

const defaultTimeoutMs = 10_000;
/** How long the owner of a sandbox may take to clear up after its last app has ended, before somebody else does. */
const ownerGraceMs = 5_000;
/** How long the kernel and a runtime may take to end what has been killed. */
const killGraceMs = 5_000;

export async function stopApp(
  context: RuntimeContext,
  id: PodId,
  app: string,
  options: StopOptions = {},
): Promise<void> {
  options.signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  await endApp(context, location, { app: requireApp(location, app), options });
}

export async function stopSandbox(context: RuntimeContext, id: PodId, options: StopOptions = {}): Promise<void> {
  options.signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  if (location.stage !== 'run') return;
  await endApps(context, location, options);
  if (context.owned.has(id)) return releaseSandbox(context, location);
  // The process that made the sandbox sees its apps end and clears up; if it is gone, or hangs, that falls to us. Where
  // the end of the apps is not that of the sandbox, it sees the process end that keeps the namespaces.
  endHolder(context, location);
  const { syscalls } = await context.host.kernel();
  const pod = await context.pods.own(location, { syscalls, waitMs: ownerGraceMs, signal: options.signal });
  try {
    await releaseSandbox(context, pod ?? location);
  } finally {
    pod?.release();
  }
}

/** Asks every app of a pod to end, then makes it. What does not end all the same is for the release of the pod to tell. */
export async function endApps(
  context: RuntimeContext,
  location: PodLocation,
  options: StopOptions = {},
): Promise<void> {
  const apps = orNothing(() => records.readManifest(location.dir))?.apps ?? [];
  await Promise.all(apps.map((app) => endApp(context, location, { app, options }).catch(ignoreSurvivors)));
}

function endHolder({ host }: RuntimeContext, { dir }: PodLocation): void {
  const run = orNothing(() => records.readRun(dir));
  if (!run?.kept && !orNothing(() => records.readSandbox(dir))?.mutable) return;
  if (run !== undefined) host.processes.signal(run.holder, 'SIGTERM');
}

interface EndRequest {
  readonly app: RuntimeApp;
  readonly options: StopOptions;
}

async function endApp(context: RuntimeContext, location: PodLocation, request: EndRequest): Promise<void> {
  await endFirstProcess(context, location, request);
  await endLeftoversOf(context, location, {
    app: request.app.name,
    ...(request.options.signal && { signal: request.options.signal }),
  });
}

async function endFirstProcess(
  context: RuntimeContext,
  location: PodLocation,
  { app, options }: EndRequest,
): Promise<void> {
  const { processes } = context.host;
  // Before it ends: whoever would start it again looks for this then.
  setMark(location.dir, app.name, 'stopped');
  const record = await lastRecord(context, location, { name: app.name, signal: options.signal });
  const targets = appProcesses(context, location, app.name);
  // What is on record may be the end of the run before: whoever started it again was killed before writing that down.
  if (record?.finishedAt !== undefined && targets.length === 0) return;
  const monitor = record?.monitor;
  const gone = (): boolean => [...targets, ...(monitor ? [monitor] : [])].every((each) => !processes.isAlive(each));
  const signal = (name: NodeJS.Signals): void => {
    for (const target of targets) processes.signal(target, name);
  };
  if (!options.force) {
    signal(stopSignal(app));
    if (await eventually(gone, options.timeoutMs ?? defaultTimeoutMs, options.signal)) return;
  }
  signal('SIGKILL');
  if (await eventually(gone, killGraceMs, options.signal)) return;
  if (monitor !== undefined) processes.signal(monitor, 'SIGKILL');
}

interface AppChoice {
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Whoever looked before us for whether an app that has ended is stopped may be starting it again this moment; then it is
 * what they start that is to end.
 */
async function lastRecord(
  context: RuntimeContext,
  location: PodLocation,
  { name, signal }: AppChoice,
): Promise<AppRecord | undefined> {
  const read = (): AppRecord | undefined => orNothing(() => records.readApp(location.dir, name));
  const record = read();
  if (record?.startedAt === undefined || isRunning(context, record)) return record;
  return (await tryWithLock(context, appLock(location, name, signal), async () => read())) ?? read();
}

const annotation = 'appc.io/docker/stopsignal';

/** As images state it: `SIGQUIT`, `QUIT`, or a number. What is no signal is not worth failing a stop for. */
function stopSignal({ annotations = [], app }: RuntimeApp): NodeJS.Signals {
  const stated = annotations.find(({ name }) => name === annotation)?.value ?? app.userAnnotations?.[annotation] ?? '';
  const upper = stated.toUpperCase();
  const names = Object.entries(constants.signals).find(
    ([name, number]) => name === upper || name === `SIG${upper}` || String(number) === stated,
  );
  return isSignal(names?.[0]) ? names[0] : 'SIGTERM';
}

function isSignal(name: string | undefined): name is NodeJS.Signals {
  return name !== undefined && name in constants.signals;
}
