// SPDX-License-Identifier: Apache-2.0
import { isLive, type Pod, type PodId } from '@rkt/stage1';
import type { ImageRequest } from '../args/image-requests.ts';
import { reasonOf } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export interface SharedNamesOptions {
  /** The pod that the apps are for, where it is there already: what it has itself is no other's. @default none */
  readonly own?: PodId;
}

/**
 * Warns, in one line, where `--name` gives apps names that apps of another pod have which runs or is to be run. Names are a pod's own
 * affair; but commands take them for pods, too. Others may come and go meanwhile. It is advice, and never fails.
 */
export async function warnOfSharedNames(
  session: Session,
  requests: readonly ImageRequest[],
  { own }: SharedNamesOptions = {},
): Promise<void> {
  const given = new Set(requests.flatMap(({ flags }) => flags.text('name') ?? []));
  if (given.size === 0) return;
  const sharedWith = ({ apps }: Pod): readonly string[] => apps.flatMap(({ name }) => (given.has(name) ? [name] : []));
  const others = await podsToName(session);
  const sharing = others.filter((pod) => pod.id !== own && sharedWith(pod).length > 0);
  if (sharing.length > 0) session.warn(warningOf(sharing, new Set(sharing.flatMap(sharedWith))));
}

function warningOf(pods: readonly Pod[], names: ReadonlySet<string>): string {
  const newest = pods.reduce((a, b) => (b.createdAt > a.createdAt ? b : a));
  const more = pods.length - 1;
  const have = more > 0 ? `and ${more} more have` : 'has';
  const apps = `${names.size > 1 ? 'apps' : 'an app'} ${[...names].map((name) => quote(name)).join(', ')}`;
  const advice = 'from now on the name alone is ambiguous, and commands may need the UUID';
  return `pod ${newest.id} (${newest.state}) ${have} ${apps} already: ${advice}`;
}

/** Those that a name may be typed for to have something done to what runs or is to be run. */
async function podsToName(session: Session): Promise<readonly Pod[]> {
  try {
    const pods = await (await session.runtime()).list();
    return pods.filter((pod) => isLive(pod) || pod.state === 'prepared');
  } catch (error) {
    session.debug(`cannot tell whether other pods have apps of the same name: ${reasonOf(error)}`);
    return [];
  }
}
