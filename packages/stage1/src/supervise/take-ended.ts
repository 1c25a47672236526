// SPDX-License-Identifier: Apache-2.0
import type { RuntimeContext } from '../context.ts';
import { type PodLocation, records } from '../pod/index.ts';
import { orNothing } from '../sandbox/or-nothing.ts';
import { hasLivingApp } from './app-processes.ts';

/** How long the release of a pod whose apps have ended may take before whoever wants it gives up. */
const releaseMs = 10_000;

/**
 * Takes a pod that does not run, by its lock. Of a detached one that has just ended somebody releases the rest, and may remove it
 * as `--rm` has it: that is waited for. Undefined for one that runs, or that somebody works on for longer.
 */
export async function takeEnded<T>(
  context: RuntimeContext,
  location: PodLocation,
  take: (options: { readonly waitMs?: number }) => Promise<T | undefined>,
): Promise<T | undefined> {
  if (context.owned.has(location.id)) return undefined;
  const taken = await take({});
  if (taken !== undefined || runsApps(context, location)) return taken;
  return await take({ waitMs: releaseMs });
}

/** Whether an app of a pod lives; of a pod without apps its sandbox. */
function runsApps(context: RuntimeContext, location: PodLocation): boolean {
  if (location.stage !== 'run') return false;
  const holder = orNothing(() => records.readRun(location.dir))?.holder;
  return (holder !== undefined && context.host.processes.isAlive(holder)) || hasLivingApp(context, location);
}
