// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { parseSignal } from '../args/signal.ts';
import { podArguments } from '../pods/find-pods.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const name = parseSignal(args.flags.text('signal') ?? 'SIGKILL');
  const app = args.flags.text('app');
  const prefixes = podArguments(args);
  const runtime = await session.runtime();
  return reportEach(session, prefixes, async (prefix) => {
    const id = await runtime.resolve(prefix);
    await runtime.signalApp(id, { name, app });
    session.io.stdout.write(`"${id}"\n`);
  });
}
