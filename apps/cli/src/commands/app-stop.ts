// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { findApp } from '../pods/find-pods.ts';
import { sayLater } from '../pods/say-later.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const runtime = await session.runtime();
  const { pod, app } = await findApp(runtime, args);
  const { name } = app;
  using _ = sayLater(session, `waiting for app "${name}" to end (it is killed after 10 seconds)`);
  await runtime.stopApp(pod.id, name, { force: args.flags.boolean('force'), signal: session.interrupts.signal });
  return 0;
}
