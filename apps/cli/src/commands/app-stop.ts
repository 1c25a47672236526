// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { chosenApp } from '../pods/chosen-app.ts';
import { findPod } from '../pods/find-pods.ts';
import { sayLater } from '../pods/say-later.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const runtime = await session.runtime();
  const pod = await findPod(runtime, operands[0] ?? '');
  const { name } = chosenApp(pod, flags);
  using _ = sayLater(session, `waiting for app "${name}" to end (it is killed after 10 seconds)`);
  await runtime.stopApp(pod.id, name, { force: flags.boolean('force'), signal: session.interrupts.signal });
  return 0;
}
