// SPDX-License-Identifier: Apache-2.0
import { extract, type Header, pack } from 'tar-stream';
import { type Archive, dataTar } from './debian.ts';

/** One entry to be written into a layer. */
export interface Entry {
  readonly header: Partial<Header> & Pick<Header, 'name'>;
  readonly body: Buffer | undefined;
}

/** Debian's merged /usr: packages may still ship files under these names. */
const usrMerged = /^(bin|sbin|lib|lib32|lib64|libx32)(?=\/|$)/;

/** The entries of some packages as one layer: later packages win, directories are stated once, names on merged /usr. */
export async function packageEntries(archive: Archive, packages: Iterable<string>): Promise<Entry[]> {
  const entries = new Map<string, Entry>();
  for (const name of packages) {
    const deb = archive.files.get(name);
    if (deb === undefined) throw new Error(`package ${name} was not downloaded`);
    for (const entry of await readTar(dataTar(deb))) {
      const path = mergedName(entry.header.name);
      if (path === undefined) continue;
      const linkname = entry.header.type === 'link' ? mergedName(entry.header.linkname ?? '') : entry.header.linkname;
      entries.set(path, { ...entry, header: { ...entry.header, name: path, ...(linkname ? { linkname } : {}) } });
    }
  }
  return [...entries.values()];
}

function mergedName(name: string): string | undefined {
  const clean = name.replace(/^\.?\//, '').replace(/\/$/, '');
  if (clean === '') return undefined;
  const merged = clean.replace(usrMerged, 'usr/$1');
  return merged;
}

async function readTar(tar: Buffer): Promise<Entry[]> {
  const entries: Entry[] = [];
  const reader = extract();
  reader.end(tar);
  for await (const stream of reader) {
    const { header } = stream;
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
    entries.push({ header, body: header.type === 'file' ? Buffer.concat(chunks) : undefined });
  }
  return entries;
}

/** Writes entries as an uncompressed tar, in the order given. */
export async function writeTar(entries: Iterable<Entry>): Promise<Buffer> {
  const writer = pack();
  for (const { header, body } of entries) {
    const { size: _size, pax: _pax, ...rest } = header;
    writer.entry({ ...rest, ...(body ? { size: body.length } : {}) }, body ?? Buffer.alloc(0));
  }
  writer.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of writer as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** When the composed files were "made": fixed, so that the same packages give the same image. */
const made = new Date('2024-01-01T00:00:00Z');

export function file(name: string, text: string | Buffer, mode = 0o644): Entry {
  return { header: { name, type: 'file', mode, uid: 0, gid: 0, mtime: made }, body: Buffer.from(text) };
}

export function directory(name: string, options: { mode?: number; uid?: number; gid?: number } = {}): Entry {
  return { header: { name, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: made, ...options }, body: undefined };
}

export function symlink(name: string, linkname: string): Entry {
  return { header: { name, type: 'symlink', linkname, mode: 0o777, uid: 0, gid: 0, mtime: made }, body: undefined };
}

/** An OCI whiteout: hides `name` of the layers below. */
export function whiteout(name: string): Entry {
  const slash = name.lastIndexOf('/') + 1;
  return file(`${name.slice(0, slash)}.wh.${name.slice(slash)}`, '');
}
