// SPDX-License-Identifier: Apache-2.0
import { type AddressInfo, createServer } from 'node:net';
import { parseReference } from '@rkt/refparse';
import { expect, it } from 'vitest';
import { createRegistry } from '../../src/index.ts';
import { FAST_RETRY, sha256 } from '../loopback.ts';

const answer = (manifest: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${manifest.length}\r\n\r\n${manifest}`;
const REAL = '{"schemaVersion":2,"real":true}';
const SMUGGLED = '{"schemaVersion":2,"real":false}';

/** CVE-2026-48931 of another client: what nobody asked for was taken for the answer to the next request. */
it.each([0, 30])('an answer that nobody asked for, %i ms after another, answers no later request', async (delayMs) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      if (delayMs === 0) socket.write(answer(REAL) + answer(SMUGGLED));
      else socket.write(answer(REAL), () => setTimeout(() => socket.write(answer(SMUGGLED)), delayMs));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using client = createRegistry({ retry: FAST_RETRY });
  const reference = parseReference(`127.0.0.1:${(server.address() as AddressInfo).port}/a/b:v`);
  for (let times = 0; times < 3; times += 1) {
    const { descriptor } = await client.getManifest(reference);
    expect(descriptor.digest).toBe(sha256(Buffer.from(REAL)));
    await new Promise((resolve) => setTimeout(resolve, 2 * delayMs));
  }
  server.close();
});
