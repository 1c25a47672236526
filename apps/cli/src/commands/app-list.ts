// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { findPod } from '../pods/find-pods.ts';
import { podAppsJson } from '../pods/pod-json.ts';
import { jsonFormat, renderJson } from '../render/json.ts';
import { renderTable } from '../render/table.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const pod = await findPod(await session.runtime(), operands[0] ?? '');
  const format = jsonFormat(flags.text('format'));
  const rows = pod.apps.map(({ name, state }) => [name, state]);
  const table = renderTable(flags.boolean('no-legend') ? rows : [['NAME', 'STATE'], ...rows]);
  session.io.stdout.write(format === undefined ? table : renderJson(podAppsJson(pod), format));
  return 0;
}
