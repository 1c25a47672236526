// SPDX-License-Identifier: Apache-2.0

/**
 * Works on up to `ahead` items at a time and gives the results in the order of the items; whoever takes a result disposes
 * of it. Those nobody takes, because a work failed or nobody wants more, are disposed of here.
 */
export async function* inOrder<T, R extends AsyncDisposable>(
  items: Iterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const begun: Promise<R>[] = [];
  try {
    for (const item of items) {
      const result = work(item);
      result.catch(() => undefined);
      begun.push(result);
      if (begun.length === ahead) yield* first(begun);
    }
    while (begun.length > 0) yield* first(begun);
  } finally {
    for (const outcome of await Promise.allSettled(begun)) {
      if (outcome.status === 'fulfilled') await outcome.value[Symbol.asyncDispose]();
    }
  }
}

async function* first<R>(begun: Promise<R>[]): AsyncGenerator<R, void> {
  const result = begun.shift();
  if (result !== undefined) yield await result;
}
