// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';

/** Sends one request over TCP and gives the first thing that comes back. */
export function ask(host: string, port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 3_000 }, () => socket.write(request));
    socket.on('data', (data) => {
      resolve(data.toString('latin1').trim());
      socket.destroy();
    });
    socket.on('timeout', () => socket.destroy(new Error(`${host}:${port} did not answer within 3 s`)));
    socket.on('error', reject);
    socket.on('end', () => reject(new Error(`${host}:${port} closed without an answer`)));
  });
}
