// SPDX-License-Identifier: Apache-2.0

/** Work that several callers wait for. It outlives the caller that started it, and ends when nobody is left. */
export interface SharedWork<T> {
  /** The result, or the reason of `signal`, whichever comes first. */
  join(signal: AbortSignal | undefined): Promise<T>;
  readonly settled: boolean;
  /** All callers have given up: the work has been aborted and is not to be joined any more. */
  readonly abandoned: boolean;
}

/** Starts work whose `signal` fires when the last of those who wait for it has given up. */
export function shareWork<T>(start: (signal: AbortSignal) => Promise<T>): SharedWork<T> {
  const controller = new AbortController();
  let waiting = 0;
  let settled = false;
  const work = start(controller.signal).finally(() => {
    settled = true;
  });
  // Those who wait have handlers of their own; what fails because nobody waits concerns nobody.
  work.catch(() => undefined);
  const join = (signal: AbortSignal | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting += 1;
      const giveUp = (): void => {
        waiting -= 1;
        reject(signal?.reason);
        if (waiting === 0) controller.abort(signal?.reason);
      };
      if (signal?.aborted === true) {
        giveUp();
        return;
      }
      signal?.addEventListener('abort', giveUp, { once: true });
      work.then(resolve, reject).finally(() => signal?.removeEventListener('abort', giveUp));
    });
  return {
    join,
    get settled() {
      return settled;
    },
    get abandoned() {
      return controller.signal.aborted;
    },
  };
}
