// SPDX-License-Identifier: Apache-2.0
import { chooseApp } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import { findPod } from '../pods/find-pods.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const runtime = await session.runtime();
  const pod = await findPod(runtime, operands[0] ?? '');
  await runtime.removeApp(pod.id, chooseApp(pod, flags.text('app')).name, { signal: session.interrupts.signal });
  return 0;
}
