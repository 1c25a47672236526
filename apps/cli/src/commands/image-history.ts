// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { type HistoryStep, layerHistory } from '../images/layer-history.ts';
import { openStoredImage } from '../images/open-stored-image.ts';
import { formatBytes } from '../render/bytes.ts';
import { jsonFormat, renderJson } from '../render/json.ts';
import { renderTable } from '../render/table.ts';
import { formatAgo, formatMoment } from '../render/time.ts';
import type { Session } from '../wiring/session.ts';

const HEADER = ['LAYER', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'];
const SHORT_LAYER = 'sha256:'.length + 12;
const SHORT_COMMAND = 45;

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const { io } = session;
  const { store, image } = await openStoredImage(session, operands[0] ?? '', { use: 'read', flags });
  const { id } = image;
  const steps = layerHistory(await store.listLayers(id), await store.getConfig(id)).toReversed();
  const format = jsonFormat(flags.text('format'));
  if (format !== undefined) {
    io.stdout.write(renderJson(steps.map(toJson), format));
    return 0;
  }
  const rows = steps.map(flags.boolean('full') ? fullRow : (step) => shortRow(step, io.now()));
  io.stdout.write(renderTable(flags.boolean('no-legend') ? rows : [HEADER, ...rows]));
  return 0;
}

function shortRow({ diffId, created, createdBy, size, comment }: HistoryStep, now: number): readonly string[] {
  const command = createdBy.length > SHORT_COMMAND ? `${createdBy.slice(0, SHORT_COMMAND - 3)}...` : createdBy;
  const ago = created === undefined ? '-' : formatAgo(created, now);
  return [diffId?.slice(0, SHORT_LAYER) ?? '<none>', ago, command, formatBytes(size), comment];
}

function fullRow({ diffId, created, createdBy, size, comment }: HistoryStep): readonly string[] {
  const moment = created === undefined ? '-' : formatMoment(created);
  return [diffId ?? '<none>', moment, createdBy, String(size), comment];
}

function toJson({ diffId, created, createdBy, size, comment }: HistoryStep): object {
  return {
    layer: diffId,
    created: created === undefined ? undefined : new Date(created).toISOString(),
    created_by: createdBy,
    size,
    comment,
  };
}
