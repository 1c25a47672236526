// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { podArguments } from '../pods/find-pods.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const prefixes = podArguments(args);
  const runtime = await session.runtime();
  const status = await reportEach(session, prefixes, async (prefix) => {
    const id = await runtime.resolve(prefix);
    await runtime.remove(id, { signal: session.interrupts.signal });
    session.io.stdout.write(`"${id}"\n`);
  });
  if (status !== 0) session.say('failed to remove one or more pods');
  return status;
}
