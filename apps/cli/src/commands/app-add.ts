// SPDX-License-Identifier: Apache-2.0
import type { Volume } from '@rkt/appc';
import type { Pod } from '@rkt/stage1';
import type { Lease, Store } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import { type ImageRequest, readImageRequests } from '../args/image-requests.ts';
import type { Part } from '../args/read-parts.ts';
import { appAddFlags } from '../args/run-flags.ts';
import { readObtainOptions } from '../images/obtain-options.ts';
import { findPod } from '../pods/find-pods.ts';
import { obtainImages } from '../pods/obtain-images.ts';
import { placesOf, releaseImages, renderTrees } from '../pods/pod-images.ts';
import { runtimeApp } from '../pods/runtime-app.ts';
import { warnOfSharedNames } from '../pods/shared-names.ts';
import { parseVolumeFlag } from '../pods/volume-flag.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const runtime = await session.runtime();
  const pod = await findPod(runtime, args.operands[0] ?? '');
  const parts = withoutPod(args.parts);
  const store = await session.store();
  const lease = await store.lease();
  try {
    const plan = { pod, parts, store, lease };
    const { app, volumes } = await planApp(session, args, plan);
    const rootfs = (await renderTrees(session, { store, lease, manifest: { apps: [app] } }))[app.name];
    if (rootfs === undefined) throw new TypeError(`app ${app.name} has no tree`);
    // Before the manifest speaks of the image: from here on it stays for as long as the pod's directory does.
    await lease.bind(placesOf(pod.dir), { durable: true });
    const { signal } = session.interrupts;
    await runtime.defineApp(pod.id, { app, rootfs, volumes }, { signal });
    await runtime.addApp(pod.id, app.name, { signal });
    session.io.stdout.write(`${app.name}\n`);
    return 0;
  } finally {
    await releaseImages(session, lease);
  }
}

interface Plan {
  readonly pod: Pod;
  readonly parts: readonly Part[];
  readonly store: Store;
  readonly lease: Lease;
}

async function planApp(session: Session, { flags }: Arguments, { pod, parts, store, lease }: Plan) {
  const requests: readonly ImageRequest[] = readImageRequests(parts, appAddFlags);
  const given: readonly Volume[] = volumeTexts(parts).map(parseVolumeFlag);
  const [request] = requests;
  const options = await readObtainOptions(session.io, flags);
  const line = { command: `app add ${pod.id}`, parts };
  await warnOfSharedNames(session, requests, { own: pod.id });
  const [record] = await obtainImages(session, requests, { ...options, line, lease });
  if (request === undefined || record === undefined) throw new TypeError('there is no image');
  const image = await store.getImage(record.id);
  const app = runtimeApp(
    { image, request },
    {
      environment: { inherited: [], set: [] },
      appendArguments: session.io.env['RKT_APPEND_ARGS'] === '1',
      volumes: [...(pod.manifest?.volumes ?? []), ...given],
    },
  );
  return { app, volumes: given };
}

function volumeTexts(parts: readonly Part[]): readonly string[] {
  return parts.flatMap((part) => (part.kind === 'flag' && part.flag.name === 'volume' ? [part.value] : []));
}

/** The first operand is the pod. */
function withoutPod(parts: readonly Part[]): readonly Part[] {
  const pod = parts.findIndex(({ kind }) => kind === 'operand');
  return parts.filter((_, index) => index !== pod);
}
