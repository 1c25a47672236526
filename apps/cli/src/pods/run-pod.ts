// SPDX-License-Identifier: Apache-2.0
import type { MonitorOptions, PodId, RunningApp, Runtime, SandboxSpec, StdioMode } from '@rkt/stage1';
import type { FlagValues } from '../args/flag.ts';
import { parseRestartPolicy } from '../args/restart-policy.ts';
import { CliError, hasCode, reasonOf, usageError } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { type AttendedApp, attendApps, type OnAppFailure } from './attend-apps.ts';
import { healthCommand } from './health-command.ts';
import { isPodGone } from './pod-gone.ts';
import { listenersOf, tellReady, tellStopping } from './service-manager.ts';

/** How a pod is run. */
export interface Foreground {
  readonly interactive: boolean;
  /** When it has ended, or could not be started. */
  readonly remove: boolean;
  /** Whether apps that have ended by themselves are started again: of a detached pod alone. As the flag has it. */
  readonly restart: string;
  /** Whether the health checks that images have are executed. */
  readonly checksHealth: boolean;
  /** Whether the other apps are stopped when one has failed. */
  readonly onAppFailure: OnAppFailure;
  /** What of its surroundings is not to be as it was prepared. */
  readonly spec?: Partial<SandboxSpec>;
}

/**
 * What the flags of `run` and `run-prepared` say about how a pod is run.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 */
export function foregroundOf(flags: FlagValues): Foreground {
  const restart = flags.text('restart') ?? 'no';
  const { when } = parseRestartPolicy(restart);
  if (when !== 'no' && !flags.boolean('detach')) {
    throw usageError('--restart has no effect without --detach', 'whoever runs rkt in the foreground starts it again');
  }
  if (when !== 'no' && flags.boolean('rm')) throw usageError('conflicting flags: --restart and --rm');
  return {
    restart,
    checksHealth: !flags.boolean('no-healthcheck'),
    interactive: flags.boolean('interactive'),
    remove: flags.boolean('rm'),
    onAppFailure: flags.text('on-app-failure') === 'continue' ? 'continue' : 'stop',
  };
}

/**
 * Runs the apps of a prepared pod in the foreground until all have ended, passing signals on to them, and takes the
 * sandbox down. Resolves to the status of the app that failed first, 0 if none did. What the pod held of the host is
 * released whatever happens, and signals do not end that.
 */
export async function runPod(session: Session, id: PodId, foreground: Foreground): Promise<number> {
  const { remove } = foreground;
  const runtime = await session.runtime();
  const discard = async (): Promise<void> => {
    if (remove) await attempt(session, `cannot remove pod "${id}"`, () => runtime.remove(id));
  };
  let status: number;
  try {
    status = await runApps(session, runtime, { ...foreground, id });
  } catch (error) {
    if (isOthers(error)) throw error;
    using _ = unhurried(session);
    // The failure is what is to be told first; that something stayed behind comes after it.
    await attempt(session, `cannot take down pod "${id}"`, () => runtime.stopSandbox(id));
    await discard();
    throw error;
  }
  using _ = unhurried(session);
  await tellStopping(session);
  // How the apps ended is known, and is the status, also when something of the host could not be given back.
  await attempt(session, `cannot take down pod "${id}"`, () => runtime.stopSandbox(id));
  await discard();
  return status;
}

interface RunRequest extends Foreground {
  readonly id: PodId;
}

async function runApps(session: Session, runtime: Runtime, request: RunRequest): Promise<number> {
  const { id, interactive, onAppFailure, checksHealth, spec } = request;
  const stdio = stdioOf(session, interactive);
  const apps = await startApps(session, runtime, { id, stdio, checksHealth, ...(spec && { spec }) });
  await tellReady(session);
  const [first] = apps;
  using _ = stdio === 'tty' && first !== undefined ? followSize(session, first.running) : undefined;
  return await attendApps(session, apps, { onAppFailure, stop: (app, options) => runtime.stopApp(id, app, options) });
}

interface StartRequest {
  readonly id: PodId;
  readonly stdio: StdioMode;
  readonly checksHealth: boolean;
  /** Each app is to go on without us, watched as this says. */
  readonly monitorOf?: (app: string) => MonitorOptions;
  readonly spec?: Partial<SandboxSpec>;
}

/** Makes the sandbox and starts every app in it, in the order of the manifest. */
export async function startApps(
  session: Session,
  runtime: Runtime,
  { id, spec, stdio, checksHealth, monitorOf }: StartRequest,
): Promise<readonly AttendedApp[]> {
  const { signal } = session.interrupts;
  const { manifest } = await runtime.createSandbox(id, { signal, ...(spec && { spec }) });
  const names = manifest?.apps.map(({ name }) => name) ?? [];
  if (names.length === 0) throw new CliError('ERR_RKT_CLI_POD_STATE', `pod "${id}" has no app`);
  const listeners = monitorOf === undefined ? listenersOf(session.io, names.length) : undefined;
  // What is wrong with the file system of one is found before any has done a thing.
  for (const name of names) await runtime.addApp(id, name, { signal });
  const started: AttendedApp[] = [];
  for (const name of names) {
    const monitor = monitorOf?.(name);
    const healthCheck = checksHealth ? await healthCommand(session, id, name) : undefined;
    const how = { ...(healthCheck && { healthCheck }), ...(monitor && { monitor }), ...(listeners && { listeners }) };
    const running = await runtime.startApp(id, name, { stdio, signal, ...how });
    started.push({ name, running });
  }
  return started;
}

/** Whoever sends signals now wants rkt to end, which it is about to: a part of the pod must not stay for that. */
export function unhurried(session: Session): Disposable {
  return session.interrupts.divert(() => undefined);
}

/** Somebody else has run the pod, or does: there is nothing of ours to take down, and theirs must go on. */
export function isOthers(error: unknown): boolean {
  return hasCode(error, 'ERR_RKT_STAGE1_POD_NOT_PREPARED');
}

export async function attempt(session: Session, failure: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isPodGone(error)) return;
    session.say(`${failure} (rkt gc will try again): ${reasonOf(error)}`);
  }
}

export function stdioOf({ io }: Session, interactive: boolean): StdioMode {
  if (!interactive) return 'inherit';
  return io.stdinIsTTY && io.stdout.isTTY ? 'tty' : 'interactive';
}

/** Runtimes give the app's terminal the size of the one they are started from when they are told to look. */
export function followSize({ io }: Session, running: RunningApp): Disposable {
  const tell = (): void => running.signal('SIGWINCH');
  tell();
  return io.onResize(tell);
}
