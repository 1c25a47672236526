// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdtempSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { expect, it } from 'vitest';
import { notifyService } from '../../src/index.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;

/** A socket as a service manager has it, which Node cannot make. */
function listen(address: Buffer): number {
  const library = koffi.load(null);
  const socket = library.func('int socket(int, int, int)');
  const bind = library.func('int bind(int, const uint8_t *, uint32_t)');
  const fd: number = socket(AF_UNIX, SOCK_DGRAM, 0);
  const family = Buffer.from(Uint16Array.of(AF_UNIX).buffer);
  expect(bind(fd, Buffer.concat([family, address]), family.length + address.length)).toBe(0);
  return fd;
}

function received(fd: number): string {
  const buffer = Buffer.alloc(256);
  return buffer.toString('utf8', 0, readSync(fd, buffer));
}

it('sends one datagram, to a path or an abstract name; what is told stays on its line', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-notify-'));
  const path = join(dir, 'notify');
  const name = `rkt-notify-${process.pid}`;
  const sockets = [listen(Buffer.from(`${path}\0`)), listen(Buffer.from(`\0${name}`))] as const;
  try {
    await notifyService(path, { READY: 1, MAINPID: 12 });
    await notifyService(`@${name}`, { STATUS: 'a\nSTOPPING=1' });
    expect(sockets.map(received)).toEqual(['READY=1\nMAINPID=12\n', 'STATUS=a STOPPING=1\n']);
  } finally {
    for (const fd of sockets) closeSync(fd);
    rmSync(dir, { recursive: true });
  }
  await expect(notifyService(path, { READY: 1 })).rejects.toMatchObject({ code: 'ENOENT' });
});
