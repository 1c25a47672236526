// SPDX-License-Identifier: Apache-2.0
import type { Pod, PodApp, PodId, Runtime } from '@rkt/stage1';
import type { RestartPolicy } from '../args/restart-policy.ts';
import { reasonOf } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { isPodGone } from './pod-gone.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;

/** Whether an app that has ended is to be started again. One that somebody stopped is not. */
export function isToBeRestarted(app: PodApp, { when, limit }: RestartPolicy): boolean {
  if (when === 'no' || app.stopRequested === true || app.exitCode === undefined) return false;
  return (when === 'always' || app.exitCode !== 0) && (app.restarts ?? 0) < limit;
}

/** How long to wait before: twice as long each time an app ends soon after it was started, as docker does. */
export function restartDelay({ restartsInARow = 0 }: PodApp): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(restartsInARow, 20));
}

/** The first app of a pod that has ended with another status than 0, without having been told to end. */
export function failedOf({ apps }: Pod): string | undefined {
  return apps.find(({ exitCode, stopRequested }) => stopRequested !== true && exitCode !== undefined && exitCode !== 0)
    ?.name;
}

/** Stops, at the same time, the apps of a pod that run when one has failed. */
export async function stopOthers(session: Session, id: PodId, failed: string | undefined): Promise<void> {
  if (failed === undefined) return;
  const runtime = await session.runtime();
  const { apps } = await runtime.inspect(id);
  const others = apps.filter(({ name, state }) => name !== failed && state === 'running');
  await Promise.all(others.map(({ name }) => stop(session, runtime, { id, name })));
}

interface Target {
  readonly id: PodId;
  readonly name: string;
}

async function stop(session: Session, runtime: Runtime, { id, name }: Target): Promise<void> {
  try {
    await runtime.stopApp(id, name);
  } catch (error) {
    if (!isPodGone(error)) session.say(`cannot stop app "${name}": ${reasonOf(error)}`);
  }
}
