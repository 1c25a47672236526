// SPDX-License-Identifier: Apache-2.0
import { isLive } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import { podJson } from '../pods/pod-json.ts';
import { listRows } from '../pods/pod-text.ts';
import { jsonFormat, renderJson } from '../render/json.ts';
import { renderTable } from '../render/table.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags }: Arguments): Promise<number> {
  const { io } = session;
  await session.noteMissingData();
  const runtime = await session.runtime();
  // The newest last, as with images; what has just been run stands where the eye is.
  const known = flags.boolean('all') ? await runtime.list() : (await runtime.list()).filter(isLive);
  const pods = [...known].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  if (flags.boolean('quiet')) {
    io.stdout.write(pods.map(({ id }) => `${id}\n`).join(''));
    return 0;
  }
  const format = jsonFormat(flags.text('format'));
  if (format !== undefined) {
    io.stdout.write(renderJson(pods.map(podJson), format));
    return 0;
  }
  const full = flags.boolean('full');
  const header = [
    'UUID',
    'APP',
    'IMAGE NAME',
    ...(full ? ['IMAGE ID'] : []),
    'STATE',
    'CREATED',
    'STARTED',
    'NETWORKS',
  ];
  const rows = pods.flatMap((pod) => listRows(pod, { full, now: io.now() }));
  io.stdout.write(renderTable(flags.boolean('no-legend') ? rows : [header, ...rows]));
  return 0;
}
