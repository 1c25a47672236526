// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createLayerIndexer, type LayerEntry, type LayerIndex, type LayerLimits } from '@rkt/appc';

/** Fields of a raw tar header, each written as given, so that broken ones can be made. */
export interface RawHeader {
  readonly name?: string;
  readonly type?: string;
  readonly mode?: string;
  readonly uid?: string | Buffer;
  readonly gid?: string;
  readonly size?: number | string | Buffer;
  readonly mtime?: string | Buffer;
  readonly linkname?: string;
  readonly magic?: string;
  readonly devmajor?: string;
  readonly devminor?: string;
  readonly prefix?: string;
  /** Bytes laid over the block before its checksum is made. */
  readonly patch?: ReadonlyMap<number, Buffer>;
  readonly checksum?: 'unsigned' | 'signed' | 'wrong';
}

export function header(fields: RawHeader = {}): Buffer {
  const block = Buffer.alloc(512);
  const { size = 0 } = fields;
  put(block, 0, fields.name ?? 'file');
  put(block, 100, fields.mode ?? '0000644\0');
  put(block, 108, fields.uid ?? '0000000\0');
  put(block, 116, fields.gid ?? '0000000\0');
  put(block, 124, typeof size === 'number' ? `${size.toString(8).padStart(11, '0')}\0` : size);
  put(block, 136, fields.mtime ?? '00000000000\0');
  put(block, 156, fields.type ?? '0');
  put(block, 157, fields.linkname ?? '');
  put(block, 257, fields.magic ?? 'ustar\x0000');
  put(block, 329, fields.devmajor ?? '');
  put(block, 337, fields.devminor ?? '');
  put(block, 345, fields.prefix ?? '');
  for (const [at, bytes] of fields.patch ?? []) bytes.copy(block, at);
  block.fill(0x20, 148, 156);
  const bytes = fields.checksum === 'signed' ? new Int8Array(block) : new Uint8Array(block);
  let sum = fields.checksum === 'wrong' ? 1 : 0;
  for (const byte of bytes) sum += byte;
  put(block, 148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

function put(block: Buffer, at: number, value: string | Buffer): void {
  Buffer.from(value as string, 'latin1').copy(block, at);
}

export function padded(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content as string, 'latin1');
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

export function file(name: string, content = '', fields: RawHeader = {}): Buffer {
  return Buffer.concat([header({ name, size: Buffer.byteLength(content, 'latin1'), ...fields }), padded(content)]);
}

export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

export function pax(records: readonly (readonly [string, string])[], type = 'x'): Buffer {
  return rawPax(records.map(([key, value]) => paxRecord(key, value)).join(''), type);
}

export function rawPax(body: string, type = 'x'): Buffer {
  return Buffer.concat([header({ name: 'PaxHeader', type, size: body.length }), padded(body)]);
}

export function gnuLong(type: 'L' | 'K', name: string): Buffer {
  const fields = { name: '././@LongLink', type, size: name.length + 1, magic: 'ustar  \0' };
  return Buffer.concat([header(fields), padded(`${name}\0`)]);
}

export const END: Buffer = Buffer.alloc(1024);

export function archive(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([...parts, END]);
}

export function indexOf(tar: Buffer, limits: Partial<LayerLimits> = {}, chunkBytes = 1 << 20): LayerIndex {
  const indexer = createLayerIndexer(limits);
  for (let at = 0; at < tar.length; at += chunkBytes) indexer.push(tar.subarray(at, at + chunkBytes));
  return indexer.finish();
}

/** The only entry of an archive made of `parts`. */
export function onlyEntry(...parts: readonly Buffer[]): LayerEntry {
  const { entries } = indexOf(archive(...parts));
  if (entries.length !== 1 || entries[0] === undefined) throw new Error(`expected one entry, got ${entries.length}`);
  return entries[0];
}

/** GNU base-256 in a field of `length` bytes. */
export function base256(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let rest = BigInt.asUintN(length * 8 - 1, value);
  for (let at = length - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}
