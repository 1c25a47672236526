// SPDX-License-Identifier: Apache-2.0
import type { ImageRecord } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import type { FlagValues } from '../args/flag.ts';
import { familiarName, isCalled, shortId, versionOf } from '../images/image-names.ts';
import { platformText } from '../images/image-platform.ts';
import { ownPlatform } from '../images/remote-name.ts';
import { formatBytes } from '../render/bytes.ts';
import { jsonFormat, renderJson } from '../render/json.ts';
import { renderTable } from '../render/table.ts';
import { formatAgo, formatMoment, nanoseconds } from '../render/time.ts';
import type { Session } from '../wiring/session.ts';

const LIST_DIGITS = 12;

interface Field {
  readonly header: string;
  readonly compare: (a: ImageRecord, b: ImageRecord) => number;
  readonly short: (image: ImageRecord, now: number) => string;
  readonly full: (image: ImageRecord) => string;
}

const FIELDS: Readonly<Record<string, Field>> = {
  id: {
    header: 'ID',
    compare: (a, b) => order(a.id, b.id),
    short: ({ id }) => id.slice(0, 'sha512-'.length + LIST_DIGITS),
    full: ({ id }) => id,
  },
  name: {
    header: 'NAME',
    compare: (a, b) => order(familiarName(a.name), familiarName(b.name)),
    short: ({ name }) => familiarName(name),
    full: ({ name }) => name,
  },
  size: {
    header: 'SIZE',
    compare: (a, b) => a.size - b.size,
    short: ({ size }) => formatBytes(size),
    full: ({ size }) => String(size),
  },
  importtime: {
    header: 'IMPORT TIME',
    compare: (a, b) => a.importedAt - b.importedAt,
    short: ({ importedAt }, now) => formatAgo(importedAt, now),
    full: ({ importedAt }) => formatMoment(importedAt),
  },
  lastused: {
    header: 'LAST USED',
    compare: (a, b) => a.lastUsedAt - b.lastUsedAt,
    short: ({ lastUsedAt }, now) => formatAgo(lastUsedAt, now),
    full: ({ lastUsedAt }) => formatMoment(lastUsedAt),
  },
  platform: {
    header: 'PLATFORM',
    compare: (a, b) => order(shownPlatform(a), shownPlatform(b)),
    short: shownPlatform,
    full: shownPlatform,
  },
};

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const { io } = session;
  const store = await session.existingStore('read');
  const isAsked = ({ name }: ImageRecord): boolean =>
    operands.length === 0 || operands.some((typed) => isCalled(name, typed));
  const images = ((await store?.listImages()) ?? []).filter((image) => byName(image).some(isAsked));
  const inOrder = <T extends ImageRecord>(rows: readonly T[]): readonly T[] =>
    sorted(rows, fieldsOf(flags.text('sort')), flags.text('order') === 'desc');
  const format = jsonFormat(flags.text('format'));
  if (format !== undefined) {
    io.stdout.write(renderJson(inOrder(images).map(toJson), format));
    return 0;
  }
  if (flags.boolean('quiet')) {
    const ids = inOrder(images).map(({ id }) => (flags.boolean('full') ? id : shortId(id)));
    io.stdout.write(ids.map((id) => `${id}\n`).join(''));
    return 0;
  }
  const fields = shownFields(flags, images);
  const now = io.now();
  const show = (image: ImageRecord) =>
    fields.map((field) => (flags.boolean('full') ? field.full(image) : field.short(image, now)));
  const legend = flags.boolean('no-legend') ? [] : [fields.map(({ header }) => header)];
  io.stdout.write(renderTable([...legend, ...inOrder(images.flatMap(byName).filter(isAsked)).map(show)]));
  return 0;
}

/** As the original has them; with what images are for, where one is for another machine than this. */
function shownFields(flags: FlagValues, images: readonly ImageRecord[]): readonly Field[] {
  const fields = fieldsOf(flags.text('fields'));
  const isForeign = !flags.given('fields') && images.some(isForOther);
  return isForeign ? [...fields, ...fieldsOf('platform')] : fields;
}

function isForOther(image: ImageRecord): boolean {
  const { os, architecture } = ownPlatform();
  const platform = platformText(image);
  return platform !== undefined && !`${platform}/`.startsWith(`${os}/${architecture}/`);
}

/** A row for every name that leads to an image; one whose names all lead elsewhere by now has a name without tag. */
function byName(image: ImageRecord): readonly ImageRecord[] {
  if (image.names.length > 0) return image.names.map((name) => ({ ...image, name }));
  const version = versionOf(image.name);
  const base = version === undefined ? image.name : image.name.slice(0, -version.length - 1);
  return [{ ...image, name: `${base}:<none>` }];
}

/** The names of fields were checked when the flags were read. */
function fieldsOf(csv = ''): readonly Field[] {
  return csv.split(',').flatMap((name) => FIELDS[name] ?? []);
}

function sorted<T extends ImageRecord>(
  images: readonly T[],
  fields: readonly Field[],
  descending: boolean,
): readonly T[] {
  const compare = (a: T, b: T): number => {
    for (const field of fields) {
      const result = field.compare(a, b);
      if (result !== 0) return descending ? -result : result;
    }
    return 0;
  };
  return [...images].sort(compare);
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** An image that does not say what it is for is for all. */
function shownPlatform(image: ImageRecord): string {
  return platformText(image) ?? '-';
}

function toJson(image: ImageRecord): object {
  const { id, name, names, importedAt, lastUsedAt, size } = image;
  return {
    id,
    name,
    names,
    platform: platformText(image),
    import_time: nanoseconds(importedAt),
    last_used_time: nanoseconds(lastUsedAt),
    size,
  };
}
