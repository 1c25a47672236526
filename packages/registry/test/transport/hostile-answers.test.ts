// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { parseReference } from '@rkt/refparse';
import { describe, expect, it } from 'vitest';
import { createRegistry, undiciTransport } from '../../src/index.ts';
import { registryError } from '../registry-error.ts';

const TIMEOUT_MS = 300;
const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`;

/** Writes `text`, then what `more` makes, every few milliseconds, for as long as anybody listens. */
function endless(text: string, more: (count: number) => string, everyMs = 10): (socket: Socket) => void {
  return (socket) => {
    socket.write(text);
    let count = 0;
    const timer = setInterval(() => {
      count += 1;
      socket.write(more(count));
    }, everyMs);
    socket.once('close', () => clearInterval(timer));
  };
}

const whole = (text: string) => (socket: Socket) => void socket.end(text);

describe('an answer is refused or given up in time, in one safe line, with', () => {
  it.each<[what: string, code: string, answer: (socket: Socket) => void]>([
    ['interim answers without end', 'TIMEOUT', endless('', () => 'HTTP/1.1 103 Early Hints\r\n\r\n')],
    ['an interim answer and no other', 'TIMEOUT', endless('HTTP/1.1 102 Processing\r\n\r\n', () => '')],
    ['a header field that drips', 'TIMEOUT', endless(`${OK}x: `, () => 'a')],
    ['header fields that drip', 'TIMEOUT', endless(OK, (count) => `x${count}: a\r\n`)],
    ['64 KiB of header fields', 'PROTOCOL', whole(`${OK}x: ${'a'.repeat(65_536)}\r\n\r\n`)],
    ['trailers without end', 'PROTOCOL', endless(`${CHUNKED}0\r\n`, (n) => `x${n}: ${'a'.repeat(9000)}\r\n`, 1)],
    ['a trailer that drips', 'TIMEOUT', endless(`${CHUNKED}0\r\nx: `, () => 'a')],
    ['a chunk extension without end', 'TIMEOUT', endless(`${CHUNKED}2;`, () => 'a'.repeat(1000))],
    ['a body that stops', 'TIMEOUT', endless(`${OK}content-length: 9\r\n\r\n{}`, () => '')],
    ['two lengths', 'TRUNCATED', whole(`${OK}content-length: 2\r\ncontent-length: 3\r\n\r\n{}x`)],
    ['a length and chunks', 'TRUNCATED', whole(`${CHUNKED.replace('\r\n', '\r\ncontent-length: 2\r\n')}0\r\n\r\n`)],
    ['a length beyond all numbers', 'TRUNCATED', whole(`${OK}content-length: ${'9'.repeat(30)}\r\n\r\n{}`)],
    ['another protocol', 'TRUNCATED', whole('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')],
    ['a status below 100', 'PROTOCOL', whole('HTTP/1.1 099 x\r\ncontent-length: 0\r\n\r\n')],
    ['a status above 599', 'SERVER_ERROR', whole('HTTP/1.1 999 x\r\ncontent-length: 0\r\n\r\n')],
    ['a status that colours', 'PROTOCOL', whole('HTTP/1.1 \u001b[31m200 OK\r\n\r\n')],
    ['chunks that are none', 'PROTOCOL', whole(`${CHUNKED}zz\u001b[31m do-not-show\r\n`)],
    ['a page and no header', 'PROTOCOL', whole('<html>do-not-show</html>')],
  ])('%s', async (_what, code, answer) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
      socket.once('data', () => answer(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const transport = undiciTransport({ headersTimeoutMs: TIMEOUT_MS, idleTimeoutMs: TIMEOUT_MS });
    await using client = createRegistry({ transport: transport.send, retry: { attempts: 1 } });
    const reference = parseReference(`127.0.0.1:${(server.address() as AddressInfo).port}/x`);
    const started = performance.now();
    const error = await registryError(() => client.getManifest(reference));
    expect(performance.now() - started).toBeLessThan(10 * TIMEOUT_MS);
    expect(error.code).toBe(`ERR_RKT_REGISTRY_${code}`);
    expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]|\\u\{/);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('do-not-show');
    await transport.close();
    await expect.poll(() => sockets.size).toBe(0);
    server.close();
  });
});
