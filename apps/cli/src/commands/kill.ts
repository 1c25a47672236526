// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { parseSignal } from '../args/signal.ts';
import { podArguments, resolveApp } from '../pods/find-pods.ts';
import { openReport } from '../render/report.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';
import type { SignalledApp } from './reports.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const name = parseSignal(args.flags.text('signal') ?? 'SIGKILL');
  const prefixes = podArguments(args);
  using report = openReport<SignalledApp>(session.io, args.flags);
  const runtime = await session.runtime();
  return await reportEach(session, prefixes, async (prefix) => {
    const { id, app } = await resolveApp(runtime, prefix, args.flags);
    await runtime.signalApp(id, { name, app });
    report.add({ name: id, ...(app === undefined ? {} : { app }), signal: name }, `"${id}"`);
  });
}
