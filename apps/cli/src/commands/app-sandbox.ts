// SPDX-License-Identifier: Apache-2.0
import { acVersion, type NameValue, type PodManifest } from '@rkt/appc';
import type { PodId } from '@rkt/stage1';
import { parseAssignment } from '../args/assignment.ts';
import type { Arguments } from '../args/command.ts';
import type { FlagValues } from '../args/flag.ts';
import { chosenFlavor } from '../pods/chosen-flavor.ts';
import { discardUnrun } from '../pods/discard-unrun.ts';
import { portOf } from '../pods/exposed-port.ts';
import { parsePublishFlag } from '../pods/publish-flag.ts';
import { attempt } from '../pods/run-pod.ts';
import { sandboxSpec } from '../pods/sandbox-spec.ts';
import { forgetUuid, saveUuid } from '../pods/uuid-file.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags }: Arguments): Promise<number> {
  const flavor = await chosenFlavor(session, flags);
  const sandbox = sandboxSpec(flags, { flavor, insecure: session.globals.insecure });
  const manifest = emptyManifest(flags);
  const runtime = await session.runtime();
  const { signal } = session.interrupts;
  const { id } = await runtime.prepare({ manifest, rootfs: {}, sandbox, mutable: true, signal });
  const file = flags.text('uuid-file-save');
  try {
    if (file !== undefined) saveUuid(file, id);
    await runtime.createSandbox(id, { signal });
    if (!flags.boolean('detach')) return await keep(session, id);
    await leave(session, id);
    return 0;
  } catch (error) {
    await discardUnrun(session, id);
    if (file !== undefined) await forgetUuid(runtime, file, id);
    throw error;
  }
}

async function leave(session: Session, id: PodId): Promise<void> {
  const runtime = await session.runtime();
  try {
    await runtime.detach(id, { keepSandbox: true });
  } catch (error) {
    await attempt(session, `cannot take down pod "${id}"`, () => runtime.stopSandbox(id));
    throw error;
  }
  session.io.stdout.write(`${id}\n`);
}

/** Until somebody stops the pod or tells us to. */
async function keep(session: Session, id: PodId): Promise<number> {
  const runtime = await session.runtime();
  const told = Promise.withResolvers<void>();
  using _ = session.interrupts.divert(() => told.resolve());
  session.io.stdout.write(`${id}\n`);
  await Promise.race([runtime.waitSandbox(id), told.promise]);
  await runtime.stopSandbox(id);
  return 0;
}

function emptyManifest(flags: FlagValues): PodManifest {
  const ports = [
    ...flags.texts('port').map((text) => portOf(text, [])),
    ...flags.texts('publish').map(parsePublishFlag),
  ];
  const annotations = flags.texts('annotation').map(parseAssignment);
  const userAnnotations = flags.texts('user-annotation').map(parseAssignment);
  const userLabels = flags.texts('user-label').map(parseAssignment);
  return {
    acVersion,
    acKind: 'PodManifest',
    apps: [],
    ...(ports.length > 0 && { ports }),
    ...(annotations.length > 0 && { annotations }),
    ...(userAnnotations.length > 0 && { userAnnotations: byName(userAnnotations) }),
    ...(userLabels.length > 0 && { userLabels: byName(userLabels) }),
  };
}

function byName(values: readonly NameValue[]): Readonly<Record<string, string>> {
  return Object.fromEntries(values.map(({ name, value }) => [name, value]));
}
