// SPDX-License-Identifier: Apache-2.0
import type { GcOptions, RemovedItem } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import { parseDuration } from '../args/duration.ts';
import type { FlagValues } from '../args/flag.ts';
import { parseSize } from '../args/size.ts';
import { formatBytes } from '../render/bytes.ts';
import { openReport, type Report } from '../render/report.ts';
import type { Session } from '../wiring/session.ts';
import type { RemovedFromStore } from './reports.ts';

export async function execute(session: Session, { flags }: Arguments): Promise<number> {
  using report = openReport<RemovedFromStore>(session.io, flags);
  const store = await session.existingStore('change');
  if (store === undefined) return 0;
  const names = new Map((await store.listImages()).map((image) => [`${image.id}`, image.names]));
  const removed: RemovedItem[] = [];
  const onRemoved = (item: RemovedItem): void => {
    removed.push(item);
    const { kind, id } = item;
    tellRemoved(session, report, { ...item, ...(kind === 'image' && { names: names.get(id) ?? [] }) });
    if (kind !== 'image') session.debug(`removed ${kind} "${id}"`);
  };
  try {
    await store.gc({ ...optionsOf(flags), signal: session.interrupts.signal, onRemoved });
  } finally {
    sayRemoved(session, removed);
  }
  return 0;
}

function optionsOf(flags: FlagValues): GcOptions {
  const maxSize = flags.text('max-size');
  const graceMs = parseDuration(flags.text('grace-period') ?? '24h');
  return maxSize === undefined ? { graceMs } : { graceMs, maxBytes: parseSize(maxSize) };
}

/** Reports one thing that has gone, and of an image which names have. */
export function tellRemoved(
  session: Session,
  report: Report<RemovedFromStore>,
  { kind, id, size, names }: RemovedItem & Pick<RemovedFromStore, 'names'>,
): void {
  const line = kind === 'image' ? `successfully removed aci for image: "${id}"` : undefined;
  report.add({ kind, id, size, ...(names && { names }) }, line);
  if (names !== undefined && names.length > 0) session.say(`it was called ${names.join(', ')}`);
}

/** Says how many images have gone, and how much room there is now that was not before. */
export function sayRemoved(session: Session, removed: readonly RemovedItem[]): void {
  const images = removed.filter(({ kind }) => kind === 'image').length;
  if (images > 0) session.say(`${images} image(s) successfully removed`);
  const bytes = removed.reduce((sum, { size }) => sum + size, 0);
  if (bytes > 0) session.say(`${formatBytes(bytes)} freed`);
}
