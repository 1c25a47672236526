// SPDX-License-Identifier: Apache-2.0
import { CliError } from '../errors.ts';
import type { Io } from './io.ts';

/**
 * What becomes of SIGINT, SIGTERM and SIGHUP. Once `signal` is asked for, the first of them aborts it and a second one
 * ends the process as it would any other. While they are diverted, also after the first, they go to the listener instead:
 * the one that was added last.
 */
export interface Interrupts extends Disposable {
  readonly signal: AbortSignal;
  divert(listener: (signal: NodeJS.Signals) => void): Disposable;
}

export function createInterrupts(io: Io): Interrupts {
  const controller = new AbortController();
  let subscription: Disposable | undefined;
  let listener: ((signal: NodeJS.Signals) => void) | undefined;
  const stop = (): void => {
    subscription?.[Symbol.dispose]();
    subscription = undefined;
  };
  const listen = (): void => {
    subscription ??= io.onSignal((name) => {
      if (listener !== undefined) return listener(name);
      controller.abort(new CliError('ERR_RKT_CLI_INTERRUPTED', `interrupted by ${name}`, { signal: name }));
      stop();
    });
  };
  return {
    get signal() {
      if (!controller.signal.aborted) listen();
      return controller.signal;
    },
    divert: (to) => {
      const before = listener;
      listener = to;
      listen();
      return {
        [Symbol.dispose]: () => {
          listener = before;
          if (listener === undefined && controller.signal.aborted) stop();
        },
      };
    },
    [Symbol.dispose]: stop,
  };
}
