// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { awaitPod } from '../pods/await-pod.ts';
import { podArguments, resolveApp, sayWhichPod } from '../pods/find-pods.ts';
import { openReport } from '../render/report.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';
import type { AwaitedApp } from './reports.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const prefixes = podArguments(args);
  using report = openReport<AwaitedApp>(session.io, args.flags);
  const runtime = await session.runtime();
  const { signal } = session.interrupts;
  if (args.flags.text('condition') === 'healthy') {
    return await reportEach(session, prefixes, async (prefix) => {
      const named = await resolveApp(runtime, prefix, args.flags);
      sayWhichPod(session, named);
      const pod = await runtime.inspect(named.id);
      await awaitPod(session, pod, { until: 'healthy', timeoutMs: Number.POSITIVE_INFINITY });
      report.add({ name: pod.id, condition: 'healthy' });
    });
  }
  return await reportEach(session, prefixes, async (prefix) => {
    const named = await resolveApp(runtime, prefix, args.flags);
    const { id, app } = named;
    sayWhichPod(session, named);
    const status = await runtime.waitApp(id, { app, signal });
    const of = app === undefined ? {} : { app };
    report.add({ name: id, ...of, condition: 'exited', exit_code: status }, `${status}`);
  });
}
