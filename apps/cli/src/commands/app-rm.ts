// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { findApp } from '../pods/find-pods.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const runtime = await session.runtime();
  const { pod, app } = await findApp(runtime, args);
  await runtime.removeApp(pod.id, app.name, { signal: session.interrupts.signal });
  return 0;
}
