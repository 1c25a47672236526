// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { RootfsSource } from '../../src/index.ts';

/**
 * An EROFS image whose files' content is on a second device, as that of a layer is, made by erofs-utils 1.5:
 *
 *     mkdir -p d/{bin,lib,lib64,etc,out,proc,dev,sys,tmp,data}; chmod 1777 d/tmp; ln -s file d/data/link
 *     printf 'from the layer\n' >d/data/file; setfattr -n user.note -v kept d/data/file; chown 11:12 d/data/file
 *     printf 'root:x:0:0::/root:/bin/sh\nlayer:x:7:8::/:/bin/sh\n' >d/etc/passwd
 *     mkfs.erofs -T0 -U 00000000-0000-0000-0000-000000000000 --chunksize=4096 --blobdev=blob meta d
 *
 * and each file compressed with zlib.
 */
const metadata = [
  'eNpjYBgFo2AUjFTw6OHXByI5QWbMQDYPgwYDHxY1jCSYxwPVwTlE/M8CxG8deRi2Qvn/gQBZXgNKT2BggrMnAtn6UPZkINsQyp4GZFtA2bOAbCso',
  'ey6QbQ9lLwCyHaHsxUC2M5S9Ash2hbJXA9nuUPZ6INsTyt4EZOvp6SVl5qUkliSmpJalliTnZCYBkZlJfmlJQVF+cnFlcUluAYb/mBikkfyHHJ8w',
  'f0gg+U8SYg+Kfmsk/UxI+mF+N0DSbwhkm0DZxsC0YAZlmzOwg8xNy8xJzcnMywaLcQBtWNLIyMAPVaMAxKC0yA1NSShxxcjCkJdfkpqdWlACS5Ug',
  '9/1fyAimYe5jQdIDsoxw/KOGDyuSvAWR4aOLpJ8NST8sDagg6VcFsm2hbHWgP4BmFSQWF5enYHEfBxCDwscQKXzY0XInI4n+40CStyfSf8j6kfO2',
  'Ixn6uZD0O5OhnxtJvysZ+pFTljsR+v87o+rnRdLvSUD/KBgFo2AUjIJRMBgBAJUyebw=',
].join('');
const blob = [
  'eNrt2LEJhEAQBdCLrcIO9jKP7UZBUVAXVgOvexcDe1Dem2j+zyacIael3se+ntt/n6sPAAAA8D45pT0e8VsmhmsJ3bSGbayuh0Cpmvgr1R07GQAA',
  'ADzOCVCDFM8=',
].join('');

/** Writes both files, below a path longer than one option of fsconfig(2) may be. */
export function makeSmallErofs(directory: string): RootfsSource {
  const place = join(directory, 'a'.repeat(150), 'b'.repeat(150));
  mkdirSync(place, { recursive: true });
  const source = join(place, 'image.erofs');
  const device = join(place, 'layer.tar');
  writeFileSync(source, inflateSync(Buffer.from(metadata, 'base64')));
  writeFileSync(device, inflateSync(Buffer.from(blob, 'base64')));
  return { type: 'erofs', source, devices: [device] };
}
