// SPDX-License-Identifier: Apache-2.0
import { chooseApp } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import { findPod } from '../pods/find-pods.ts';
import { sayLater } from '../pods/say-later.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const runtime = await session.runtime();
  const pod = await findPod(runtime, operands[0] ?? '');
  const { name } = chooseApp(pod, flags.text('app'));
  using _ = sayLater(session, `waiting for app "${name}" to end (it is killed after 10 seconds)`);
  await runtime.stopApp(pod.id, name, { force: flags.boolean('force'), signal: session.interrupts.signal });
  return 0;
}
