// SPDX-License-Identifier: Apache-2.0
import type { RunningApp } from '@rkt/stage1';
import { reasonOf } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { sayLater } from './say-later.ts';

/** The signal of this count is not passed on: it kills the apps. */
const KILL_AT_SIGNAL = 3;

/** An app of a pod that was started, by its name. */
export interface AttendedApp {
  readonly name: string;
  readonly running: RunningApp;
}

/** What becomes of the other apps of a pod when one has failed. */
export type OnAppFailure = 'stop' | 'continue';

export interface Attendance {
  readonly onAppFailure: OnAppFailure;
  /** Stops one app; `force` kills it at once. */
  readonly stop: (app: string, options: { readonly force: boolean }) => Promise<void>;
}

/**
 * Waits for all apps of a pod, passing signals on to each. Resolves to the status of the app that failed first, 0 if none
 * did; rejects with the reason if the first failure is that an app could not be executed.
 */
export async function attendApps(
  session: Session,
  apps: readonly AttendedApp[],
  { onAppFailure, stop }: Attendance,
): Promise<number> {
  const left = new Set(apps);
  const each = async (act: (app: AttendedApp) => Promise<void>): Promise<void> => {
    await Promise.all(
      Array.from(left, async (app) => {
        try {
          await act(app);
        } catch (error) {
          session.say(`cannot stop app "${app.name}": ${reasonOf(error)}`);
        }
      }),
    );
  };
  using signals = passSignals(session, left, () => each(({ name }) => stop(name, { force: true })));
  let failure: Failure | undefined;
  let stopping: Promise<void> | undefined;
  const attend = async (app: AttendedApp): Promise<void> => {
    const failed = await failureOf(app.running);
    left.delete(app);
    if (failed === undefined) return;
    if (app.running.wasOutOfMemory()) {
      session.say(`app "${app.name}" ran out of memory: the kernel killed it, or a process of it`);
    }
    failure ??= failed;
    if (onAppFailure === 'continue' || left.size === 0 || stopping !== undefined || signals.haveStopped()) return;
    session.say(`app "${app.name}" ${describe(failed)}, stopping the others`);
    stopping = each(({ name }) => stop(name, { force: false }));
  };
  await Promise.all(apps.map(attend));
  await stopping;
  if (failure?.error !== undefined) throw failure.error;
  return failure?.status ?? 0;
}

/** One of the two: how the app ended, or why it could not be executed after all. */
interface Failure {
  readonly status?: number;
  readonly error?: unknown;
}

async function failureOf(running: RunningApp): Promise<Failure | undefined> {
  try {
    const status = await running.wait();
    return status === 0 ? undefined : { status };
  } catch (error) {
    return { error };
  }
}

function describe({ status }: Failure): string {
  return status === undefined ? 'could not be executed' : `ended with status ${status}`;
}

interface PassedSignals extends Disposable {
  /** Whether every app has been told to end already: a second time, some take as an order to end without tidying up. */
  haveStopped(): boolean;
}

/** Signals go to every app; those that do not end after several of them are killed. */
function passSignals(session: Session, left: ReadonlySet<AttendedApp>, kill: () => Promise<void>): PassedSignals {
  let signals = 0;
  let stopped = false;
  let waiting: Disposable | undefined;
  const diverted = session.interrupts.divert((name) => {
    signals += 1;
    stopped ||= name !== 'SIGHUP';
    const one = left.size === 1;
    const [whom, them] = one ? ['the app', 'it'] : ['the apps', 'them'];
    waiting ??= sayLater(session, `waiting for ${whom} to end after ${name} (the third signal kills ${them})`);
    if (signals < KILL_AT_SIGNAL) {
      for (const { running } of left) running.signal(name);
      return;
    }
    session.say(`${whom} did not end, killing ${them}`);
    // Each failure is told where it happens.
    void kill();
  });
  return {
    haveStopped: () => stopped,
    [Symbol.dispose]: () => {
      waiting?.[Symbol.dispose]();
      diverted[Symbol.dispose]();
    },
  };
}
