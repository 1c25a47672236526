// SPDX-License-Identifier: Apache-2.0
import type { GcEvent } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import { formatDuration, parseDuration } from '../args/duration.ts';
import { CliError } from '../errors.ts';
import { openReport, type Report } from '../render/report.ts';
import type { Session } from '../wiring/session.ts';
import type { HandledPod } from './reports.ts';

export async function execute(session: Session, { flags }: Arguments): Promise<number> {
  using report = openReport<HandledPod>(session.io, flags);
  await session.noteMissingData();
  const runtime = await session.runtime();
  const graceMs = parseDuration(flags.text('grace-period') ?? '30m');
  let failed = 0;
  const events = runtime.gc({
    graceMs,
    expirePreparedMs: parseDuration(flags.text('expire-prepared') ?? '24h'),
    markOnly: flags.boolean('mark-only'),
    signal: session.interrupts.signal,
  });
  for await (const event of events) {
    tell(session, event, { graceMs, report });
    if (event.kind === 'failed') failed += 1;
  }
  if (failed === 0) return 0;
  throw new CliError('ERR_RKT_CLI_INCOMPLETE', `failed to remove ${failed} pod(s)`);
}

interface Telling {
  readonly graceMs: number;
  readonly report: Report<HandledPod>;
}

function tell(session: Session, event: GcEvent, { graceMs, report }: Telling): void {
  const { id } = event;
  switch (event.kind) {
    case 'marked':
      session.say(`moving pod "${id}" to garbage`);
      report.add({ name: id, result: 'marked' });
      break;
    case 'removed':
      report.add({ name: id, result: 'removed' }, `Garbage collecting pod "${id}"`);
      break;
    case 'kept':
      if (event.reason !== 'grace-period') session.debug(`pod "${id}" not removed: it is running`);
      else session.say(`pod "${id}" not removed: still within grace period (${formatDuration(graceMs)})`);
      report.add({ name: id, result: 'kept', reason: event.reason });
      break;
    case 'failed':
      session.report(event.error);
  }
}
