// SPDX-License-Identifier: Apache-2.0
import type { Pod } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import { errnoOf, hasCode } from '../errors.ts';
import { imageJson } from '../images/image-json.ts';
import { isNameFault } from '../images/name-fault.ts';
import { noSuchImage } from '../images/near-name.ts';
import { openStoredImage } from '../images/open-stored-image.ts';
import { findPod } from '../pods/find-pods.ts';
import { isPodGone } from '../pods/pod-gone.ts';
import { podJson } from '../pods/pod-json.ts';
import { quote } from '../render/quote.ts';
import { openDocuments } from '../render/report.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';

/** Pods as `status` has them, with their manifests, and images as `image inspect` has them; an array, as docker prints it. */
export async function execute(session: Session, args: Arguments): Promise<number> {
  using report = openDocuments(session.io, args.flags);
  return await reportEach(session, args.operands, async (name) => report.add(await inspect(session, args, name)));
}

async function inspect(session: Session, { flags }: Arguments, name: string): Promise<object> {
  const type = flags.text('type');
  const { pod, denied }: Sought = type === 'image' ? {} : await podOf(session, name, type === 'pod');
  if (pod !== undefined) return { ...podJson(pod), manifest: pod.manifest };
  try {
    return await imageJson(await openStoredImage(session, name, { use: 'read', flags }));
  } catch (error) {
    if (type === 'image' || !isNameFault(error)) throw error;
    if (denied !== undefined) throw denied;
    const store = await session.existingStore('read');
    throw await noSuchImage(store, name, { message: `no pod and no image is called ${quote(name)}`, cause: error });
  }
}

interface Sought {
  /** Undefined where none is called so, unless it has to be there. */
  readonly pod?: Pod;
  /** Why it is not known whether there is one: pods are root's, where images may be anybody's to read. */
  readonly denied?: unknown;
}

/** What could be several pods is an image no more. */
async function podOf(session: Session, name: string, mustBe: boolean): Promise<Sought> {
  try {
    return { pod: await findPod(await session.runtime(), name) };
  } catch (error) {
    if (!mustBe && isNoPod(error)) return {};
    if (!mustBe && errnoOf(error) === 'EACCES') return { denied: error };
    throw error;
  }
}

function isNoPod(error: unknown): boolean {
  return isPodGone(error) || hasCode(error, 'ERR_RKT_CLI_POD_NOT_FOUND');
}
