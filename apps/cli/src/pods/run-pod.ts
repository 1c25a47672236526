// SPDX-License-Identifier: Apache-2.0
import type { PodId, RunningApp, Runtime, StdioMode } from '@rkt/stage1';
import { CliError, reasonOf } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { isPodGone } from './pod-gone.ts';
import { sayLater } from './say-later.ts';

/** The signal of this count is not passed on: it kills the app. */
const KILL_AT_SIGNAL = 3;

/** How a pod is run. */
export interface Foreground {
  readonly interactive: boolean;
  /** When it has ended, or could not be started. */
  readonly remove: boolean;
}

/**
 * Runs the app of a prepared pod in the foreground until it ends, passing signals on to it, and takes the sandbox down.
 * Resolves to the app's status. What the pod held of the host is released whatever happens, and signals do not end that.
 */
export async function runPod(session: Session, id: PodId, { interactive, remove }: Foreground): Promise<number> {
  const runtime = await session.runtime();
  const discard = async (): Promise<void> => {
    if (remove) await attempt(session, `cannot remove pod "${id}"`, () => runtime.remove(id));
  };
  let status: number;
  try {
    status = await runApp(session, runtime, { id, interactive });
  } catch (error) {
    using _ = unhurried(session);
    // The failure is what is to be told first; that something stayed behind comes after it.
    await attempt(session, `cannot take down pod "${id}"`, () => runtime.stopSandbox(id));
    if (!isOthers(error)) await discard();
    throw error;
  }
  using _ = unhurried(session);
  await runtime.stopSandbox(id);
  await discard();
  return status;
}

interface RunRequest {
  readonly id: PodId;
  readonly interactive: boolean;
}

async function runApp(session: Session, runtime: Runtime, { id, interactive }: RunRequest): Promise<number> {
  const { signal } = session.interrupts;
  const { manifest } = await runtime.createSandbox(id, { signal });
  const app = manifest?.apps[0]?.name;
  if (app === undefined) throw new CliError('ERR_RKT_CLI_POD_STATE', `pod "${id}" has no app`);
  await runtime.addApp(id, app, { signal });
  const stdio = stdioOf(session, interactive);
  const running = await runtime.startApp(id, app, { stdio, signal });
  using _ = stdio === 'tty' ? followSize(session, running) : undefined;
  return await attend(session, running, () => runtime.stopApp(id, app, { force: true }));
}

/** Whoever sends signals now wants rkt to end, which it is about to: a part of the pod must not stay for that. */
export function unhurried(session: Session): Disposable {
  return session.interrupts.divert(() => undefined);
}

/** Somebody else has run the pod, or does. */
export function isOthers(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_RKT_STAGE1_POD_NOT_PREPARED';
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
function followSize({ io }: Session, running: RunningApp): Disposable {
  const tell = (): void => running.signal('SIGWINCH');
  tell();
  return io.onResize(tell);
}

/** Signals go to the app; one that does not end after several of them is killed. */
async function attend(session: Session, running: RunningApp, kill: () => Promise<void>): Promise<number> {
  let signals = 0;
  let waiting: Disposable | undefined;
  using _ = session.interrupts.divert((name) => {
    signals += 1;
    waiting ??= sayLater(session, `waiting for the app to end after ${name} (the third signal kills it)`);
    if (signals < KILL_AT_SIGNAL) return running.signal(name);
    session.say('the app did not end, killing it');
    kill().catch((error: unknown) => session.say(`cannot kill the app: ${reasonOf(error)}`));
  });
  try {
    return await running.wait();
  } finally {
    waiting?.[Symbol.dispose]();
  }
}
