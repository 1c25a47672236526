// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { awaitPod } from '../pods/await-pod.ts';
import { findPod, podArguments } from '../pods/find-pods.ts';
import { reportEach } from '../render/report-each.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const app = args.flags.text('app');
  const prefixes = podArguments(args);
  const runtime = await session.runtime();
  const { signal } = session.interrupts;
  if (args.flags.text('condition') === 'healthy') {
    return reportEach(session, prefixes, async (prefix) => {
      const pod = await findPod(runtime, prefix);
      await awaitPod(session, pod, { until: 'healthy', timeoutMs: Number.POSITIVE_INFINITY });
    });
  }
  return reportEach(session, prefixes, async (prefix) => {
    const status = await runtime.waitApp(await runtime.resolve(prefix), { app, signal });
    session.io.stdout.write(`${status}\n`);
  });
}
