// SPDX-License-Identifier: Apache-2.0

/** An entry as it is to stand in a tar, whatever a file system would say to it. */
export interface RawEntry {
  /** Byte string. */
  readonly path: string;
  /** @default a regular file */
  readonly type?: 'file' | 'directory' | 'hardlink' | 'symlink';
  readonly mode?: number;
  readonly target?: string;
  readonly content?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
  /** What of a larger file the content is, piece after piece: as old GNU tars have sparse files. At most four. */
  readonly sparse?: { readonly size: number; readonly pieces: readonly (readonly [offset: number, length: number])[] };
}

const TYPES = { file: '0', hardlink: '1', symlink: '2', directory: '5' } as const;

/** A tar of entries, with a PAX header before each. */
export function rawTar(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBlocks), Buffer.alloc(1024)]);
}

function entryBlocks(entry: RawEntry): readonly Buffer[] {
  const { path, target, content = '', xattrs = {}, sparse } = entry;
  const attributes = Object.entries(xattrs).map(([name, value]) => record(`SCHILY.xattr.${name}`, value));
  const records = Buffer.from(
    [record('path', path), target === undefined ? '' : record('linkpath', target), ...attributes].join(''),
    'latin1',
  );
  const type = sparse === undefined ? TYPES[entry.type ?? 'file'] : 'S';
  const header = block(type, entry.mode ?? 0o644, content.length, (bytes) => {
    for (const [at, [offset, length]] of (sparse?.pieces ?? []).entries()) {
      bytes.write(octal(offset, 12) + octal(length, 12), 386 + 24 * at, 'latin1');
    }
    if (sparse !== undefined) bytes.write(octal(sparse.size, 12), 483, 'latin1');
  });
  const pax = block('x', 0o644, records.length, () => undefined);
  return [pax, records, padding(records.length), header, Buffer.from(content, 'latin1'), padding(content.length)];
}

function block(type: string, mode: number, size: number, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write('entry', 0, 'latin1');
  bytes.write(octal(mode, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(0, 12), 100, 'latin1');
  bytes.write(`        ${type}`, 148, 'latin1');
  bytes.write(type === 'S' ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1');
  fill(bytes);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

function padding(length: number): Buffer {
  return Buffer.alloc((512 - (length % 512)) % 512);
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let { length } = rest;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}
