// SPDX-License-Identifier: Apache-2.0
import type { Session } from '../wiring/session.ts';

const PATIENCE_MS = 1_000;

/** Says something unless what it is about is over within a second. To be disposed when it is. */
export function sayLater(session: Session, message: string): Disposable {
  const timer = setTimeout(() => session.say(message), PATIENCE_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
