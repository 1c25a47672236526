// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBlobFile } from '../../src/archive/blob-files.ts';
import { sha256 } from '../sample-image.ts';
import { temporaryDirectory } from '../temporary.ts';

test.each([
  [false, 4],
  [true, 2],
])(
  'chunks of a file are the consumer’s unless he releases them (%s): then %i buffers do',
  async (releaseChunks, most) => {
    const path = join(await temporaryDirectory(), 'blob');
    const bytes = randomBytes(3 * 256 * 1024 + 5);
    await writeFile(path, bytes);
    const descriptor = { digest: sha256(bytes), mediaType: 'x', size: bytes.length };
    const given: Uint8Array[] = [];
    const copies: Uint8Array[] = [];
    for await (const chunk of openBlobFile(descriptor, { path }, { releaseChunks })) {
      given.push(chunk);
      copies.push(Buffer.from(chunk));
    }
    expect(Buffer.concat(copies).equals(bytes)).toBe(true);
    expect(new Set(given.map(({ buffer }) => buffer)).size).toBe(most);
    expect(Buffer.concat(given).equals(bytes)).toBe(!releaseChunks);
  },
);
