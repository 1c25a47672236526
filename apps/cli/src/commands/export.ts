// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { CliError, usageError } from '../errors.ts';
import { writeOutput } from '../files/write-output.ts';
import { packAci } from '../images/pack-aci.ts';
import { ENDED_FIRST, resolvePod, sayWhichPod } from '../pods/find-pods.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const [typed = '', path = ''] = operands;
  if (path !== '-' && !path.endsWith('.aci')) throw usageError(`extension of output file ${quote(path)} must be .aci`);
  const { signal } = session.interrupts;
  const runtime = await session.runtime();
  const pod = await resolvePod(runtime, typed, ENDED_FIRST);
  sayWhichPod(session, pod);
  // Nothing is released before the last byte is written: the pod must not go while it is read.
  using files = await runtime.openAppFiles(pod.id, { app: flags.text('app') ?? pod.app, signal });
  const store = await session.existingStore('read');
  if (store === undefined) {
    throw new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', `the image of pod "${pod.id}" is not in the store`);
  }
  const [{ parseImageId, serializeImageManifest }, { changedManifest }] = await Promise.all([
    import('@rkt/appc'),
    import('@rkt/docker2aci'),
  ]);
  const id = parseImageId(files.imageId);
  const manifestBytes = serializeImageManifest(changedManifest((await store.getImage(id)).manifest));
  const { upperDir, users } = files;
  const bytes = store.exportChanged(id, { manifestBytes, upperDir, users, signal });
  const overwrite = flags.boolean('overwrite');
  await writeOutput(session, { path, overwrite, what: 'ACI' }, await packAci(session, bytes, flags));
  return 0;
}
