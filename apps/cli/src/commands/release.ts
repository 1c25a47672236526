// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { PodApp, PodId, StdioMode } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import { parseRestartPolicy } from '../args/restart-policy.ts';
import { hasCode, reasonOf } from '../errors.ts';
import { isToBeRestarted, restartDelay, stopOthers } from '../pods/app-ended.ts';
import { healthCommand } from '../pods/health-command.ts';
import { isPodGone } from '../pods/pod-gone.ts';
import { monitorsOf } from '../pods/run-detached.ts';
import type { Session } from '../wiring/session.ts';

/**
 * What the monitor of a detached app executes when the app has ended: starts it again, or stops the others, or releases the
 * pod when it was the last.
 */
export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const [id = ''] = operands;
  const app = flags.text('app');
  const ending = {
    id,
    isDue: flags.boolean('due'),
    checksHealth: !flags.boolean('no-healthcheck'),
    restart: flags.text('restart') ?? 'no',
    stops: flags.text('on-app-failure') === 'stop',
  };
  const runtime = await session.runtime();
  try {
    if (app !== undefined) await endLeftovers(session, id, app);
    if (app !== undefined && (await goesOn(session, app, ending))) return 0;
    const isReleased = await runtime.releaseEnded(id, app === undefined ? {} : { app });
    if (isReleased && flags.boolean('rm')) await runtime.remove(id);
  } catch (error) {
    // Somebody was faster.
    if (!isPodGone(error)) throw error;
  }
  return 0;
}

/** What does not end keeps the app from being started again, or the pod from being released; the other apps it keeps from nothing. */
async function endLeftovers(session: Session, id: PodId, app: string): Promise<void> {
  try {
    await (await session.runtime()).endLeftovers(id, { app });
  } catch (error) {
    if (!hasCode(error, 'ERR_RKT_STAGE1_CLEANUP_FAILED')) throw error;
    session.say(reasonOf(error));
  }
}

interface Ending {
  readonly id: PodId;
  /** The time has passed that is to be waited before a restart. */
  readonly isDue: boolean;
  readonly checksHealth: boolean;
  readonly restart: string;
  readonly stops: boolean;
}

/** Whether the app has been started again. Otherwise, if it has failed, the others are told to end. */
async function goesOn(session: Session, name: string, ending: Ending): Promise<boolean> {
  const { id, restart, stops } = ending;
  const policy = parseRestartPolicy(restart);
  const app = await appOf(session, id, name);
  if (app === undefined) return false;
  if (isToBeRestarted(app, policy) && (await isStartedAgain(session, app, ending))) return true;
  // Somebody may have stopped it meanwhile.
  const { exitCode, stopRequested } = (await appOf(session, id, name)) ?? app;
  const hasFailed = exitCode !== undefined && exitCode !== 0 && stopRequested !== true;
  if (hasFailed && stops) await stopOthers(session, id, name);
  return false;
}

/** Undefined also when the pod is gone, which the release of it finds out. */
async function appOf(session: Session, id: PodId, name: string): Promise<PodApp | undefined> {
  const runtime = await session.runtime();
  try {
    const { apps } = await runtime.inspect(id);
    return apps.find((app) => app.name === name);
  } catch (error) {
    if (isPodGone(error)) return undefined;
    throw error;
  }
}

/** No process of ours waits for longer: a sleep does. */
const PATIENCE_MS = 1_000;

/** At once, or in some time. */
async function isStartedAgain(session: Session, app: PodApp, ending: Ending): Promise<boolean> {
  const { id, isDue, checksHealth, restart, stops } = ending;
  const { name } = app;
  const runtime = await session.runtime();
  const aftermath = { remove: false, restart, checksHealth, onAppFailure: stops ? 'stop' : 'continue' } as const;
  const monitor = (await monitorsOf(session, id, aftermath))(name);
  const delayMs = isDue ? 0 : restartDelay(app);
  if (delayMs > PATIENCE_MS) {
    session.io.executeLater([...monitor.onExit, '--due'], delayMs);
    return true;
  }
  await delay(delayMs);
  // Somebody may have stopped the app, or the pod, while nothing of it ran.
  const now = await appOf(session, id, name);
  if (now === undefined || now.stopRequested === true) return false;
  try {
    const healthCheck = checksHealth ? await healthCommand(session, id, name) : undefined;
    const checked = healthCheck && { healthCheck };
    await runtime.startApp(id, name, { stdio: stdioOf(app), monitor, again: true, ...checked });
    return true;
  } catch (error) {
    session.say(`cannot start app "${name}" again: ${reasonOf(error)}`);
    return false;
  }
}

function stdioOf({ streams }: PodApp): StdioMode {
  if (streams?.terminal === true) return 'tty';
  return streams?.stdin === true ? 'interactive' : 'inherit';
}
