// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { capture } from '../command.ts';
import type { RunningPod } from './session.ts';

/** Asks nginx for its page and shows it. */
export async function readPage(ip: string): Promise<void> {
  const page = await eventually(async () => {
    const response = await fetch(`http://${ip}/`, { signal: AbortSignal.timeout(2_000) });
    if (!response.ok) throw new Error(`nginx answered ${response.status}`);
    return response.text();
  });
  process.stderr.write(`demo: http://${ip}/ says\n${page}`);
}

/** PING over the pod's network and with the image's own redis-cli through `rkt enter`. */
export async function pingRedis(pod: RunningPod): Promise<void> {
  const answer = await eventually(() => ask(pod.ip, 6379, 'PING\r\n'));
  process.stderr.write(`demo: PING over the pod's network (${pod.ip}:6379): ${answer}\n`);
  if (answer !== '+PONG') throw new Error(`redis answered ${JSON.stringify(answer)} instead of +PONG`);
  const command = ['rkt', 'enter', pod.id.slice(0, 8), 'redis-cli', 'ping'];
  process.stderr.write(`\n# ${command.join(' ')}\n`);
  const entered = (await capture(command)).trim();
  process.stdout.write(`${entered}\n`);
  if (entered !== 'PONG') throw new Error(`redis-cli in the pod answered ${JSON.stringify(entered)} instead of PONG`);
}

function ask(host: string, port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 2_000 }, () => socket.write(request));
    socket.on('data', (data) => {
      resolve(data.toString('latin1').trim());
      socket.destroy();
    });
    socket.on('timeout', () => socket.destroy(new Error(`${host}:${port} did not answer within 2 s`)));
    socket.on('error', reject);
  });
}

/** A server needs a moment to listen: tries for ten seconds. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(200);
    }
  }
}
