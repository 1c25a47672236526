// SPDX-License-Identifier: Apache-2.0
import type { Attachment } from '@rkt/stage1';
import { reasonOf } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { createDetachScanner } from './detach-scanner.ts';
import { sayLater } from './say-later.ts';

/** The signal of this count is not passed on: whoever sends it wants to be out. */
const LEAVE_AT_SIGNAL = 3;

export interface AttachStyle {
  /** Bytes that leave the app when they are typed on a terminal. */
  readonly detachKeys: readonly number[];
  /** Whether the app gets our standard input, if it has one. */
  readonly input: boolean;
  /** What becomes of signals; undefined: they leave the app. */
  readonly onSignal: ((name: NodeJS.Signals) => Promise<void>) | undefined;
  /** What else there is to do about an app that goes on after a signal. */
  readonly waysOut: string;
}

/** Connects our streams to those of an app until it ends, or is left. */
export async function attachStreams(
  session: Session,
  attachment: Attachment,
  style: AttachStyle,
): Promise<'ended' | 'left'> {
  const { io } = session;
  const { detachKeys, input } = style;
  let hasLeft = false;
  const leave = (): void => {
    hasLeft = true;
    attachment.close();
  };
  using _signals = passSignals(session, style, leave);
  using _size = attachment.hasTerminal && io.stdout.isTTY ? followSize(session, attachment) : undefined;
  const over = new AbortController();
  const feeding = input && attachment.hasStdin ? feed(session, { attachment, detachKeys, leave, over }) : undefined;
  // A failure ends the loop below, and is told after it.
  feeding?.catch(() => attachment.close());
  for await (const { stream, bytes } of attachment.output) await io.writeChunk(bytes, stream);
  over.abort();
  await feeding;
  return hasLeft ? 'left' : 'ended';
}

/** One that asks to end may be ignored: then it is told how to get out, and the third leaves the app to itself. */
function passSignals(session: Session, { onSignal, waysOut }: AttachStyle, leave: () => void): Disposable {
  let requests = 0;
  let waiting: Disposable | undefined;
  const diverted = session.interrupts.divert((name) => {
    if (name !== 'SIGHUP') requests += 1;
    if (onSignal === undefined || requests >= LEAVE_AT_SIGNAL) return leave();
    if (name !== 'SIGHUP') waiting ??= sayLater(session, `the app goes on after ${name}: ${waysOut}`);
    onSignal(name).catch((error: unknown) => session.say(`cannot pass on ${name}: ${reasonOf(error)}`));
  });
  return {
    [Symbol.dispose]: () => {
      waiting?.[Symbol.dispose]();
      diverted[Symbol.dispose]();
    },
  };
}

function followSize({ io }: Session, attachment: Attachment): Disposable {
  attachment.fitTerminal({ redraw: true });
  return io.onResize(() => attachment.fitTerminal());
}

interface Feed {
  readonly attachment: Attachment;
  readonly detachKeys: readonly number[];
  readonly leave: () => void;
  readonly over: AbortController;
}

async function feed({ io }: Session, { attachment, detachKeys, leave, over }: Feed): Promise<void> {
  const raw = attachment.hasTerminal && io.stdinIsTTY;
  // In a file or a pipe, the same bytes mean nothing.
  const scan = createDetachScanner(io.stdinIsTTY ? detachKeys : []);
  for await (const typed of io.readInput({ raw, signal: over.signal })) {
    const { forward, isDetached } = scan(typed);
    if (forward.length > 0) await attachment.write(forward);
    if (isDetached) return leave();
  }
}
