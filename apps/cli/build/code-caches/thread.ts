// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { MessageChannel, type MessagePort, type Transferable } from 'node:worker_threads';

export interface ThreadOptions {
  /** The name of its script. */
  readonly argv: readonly [string];
  readonly workerData?: unknown;
}

/** What a script that runs in a thread finds there. */
export interface InThread {
  readonly parentPort: MessagePort;
  readonly workerData: unknown;
}

/** So long that whoever has much to say must wait at first, as it does now and then, also where everything is emulated. */
const FIRST_MS = 1500;

/** As much of a `Worker` as the program uses, on the calling thread. */
export function createThread(
  { argv: [name], workerData }: ThreadOptions,
  start: (name: string, inThread: InThread) => void,
): object {
  const { port1, port2: parentPort } = new MessageChannel();
  const events = new EventEmitter();
  let sent = setTimeout(FIRST_MS);
  port1.on('message', (message) => events.emit('message', message));
  start(name, { parentPort, workerData });
  return Object.assign(events, {
    postMessage: (message: unknown, transfer?: readonly Transferable[]) => {
      sent = sent.then(() => port1.postMessage(message, transfer));
    },
    terminate: async () => {
      port1.close();
      events.emit('exit', 1);
      return 1;
    },
    ref: () => undefined,
    unref: () => undefined,
  });
}
