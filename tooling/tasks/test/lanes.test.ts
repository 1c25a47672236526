// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { inLanes, type LanesOptions, type Step } from '../src/lanes.ts';

/** What was written, as lines without times and empty ones; and what it ended with. */
async function outcomeOf(lanes: readonly (readonly Step[])[], options: LanesOptions = {}) {
  let text = '';
  const write = (more: string | Uint8Array) => {
    text += typeof more === 'string' ? more : Buffer.from(more).toString();
  };
  const error: unknown = await inLanes(lanes, { ...options, write }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const lines = text.replaceAll(/: \d+\.\d s$/gm, ': done').split('\n');
  return { lines: lines.filter((line) => line !== ''), error };
}

it('is at work in all lanes at once, and in each does one thing after the other', async () => {
  const first = Promise.withResolvers<void>();
  const order: string[] = [];
  await outcomeOf([
    [
      ['waits for the other lane', () => first.promise],
      ['comes after it', async () => void order.push('one')],
    ],
    [
      [
        'lets it go on',
        async () => {
          order.push('other');
          first.resolve();
        },
      ],
    ],
  ]);
  expect(order).toEqual(['other', 'one']);
});

it('shows what commands beside the first lane print when all have ended, with what they were for', async () => {
  const seen = Promise.withResolvers<void>();
  const { lines } = await outcomeOf([
    [['first', () => seen.promise]],
    [
      [
        'second',
        async (run) => {
          await run(['sh', '-c', 'echo out; echo err >&2']);
          seen.resolve();
        },
      ],
    ],
  ]);
  expect(lines.slice(0, 4)).toEqual(['== first', '== second, beside the above', '== first: done', '== second']);
  expect(lines.slice(4).toSorted()).toEqual(['== second: done', 'err', 'out']);
});

it('does not go on in a lane where something failed, lets the others end, and fails', async () => {
  const failed = Promise.withResolvers<void>();
  const done: string[] = [];
  const { lines, error } = await outcomeOf([
    [
      ['goes on', () => failed.promise],
      ['and on', async () => void done.push('and on')],
    ],
    [
      [
        'fails',
        async (run) => {
          try {
            await run(['sh', '-c', 'echo why; exit 3']);
          } finally {
            failed.resolve();
          }
        },
      ],
      ['is not begun', async () => void done.push('is not begun')],
    ],
  ]);
  expect(done).toEqual(['and on']);
  expect(lines.slice(-2)).toEqual(['== fails', 'why']);
  expect(error).toMatchObject({ name: 'CommandFailed', exitCode: 3 });
});

it('tells of every lane that fails', async () => {
  const fails = (text: string) => [[text, () => Promise.reject(new Error(text))]] as const;
  const { lines, error } = await outcomeOf([fails('one'), fails('two'), fails('three')]);
  expect(lines.slice(-2)).toEqual(['== failed, too: two', '== failed, too: three']);
  expect(error).toMatchObject({ message: 'one' });
});

it('begins nothing further once it is stopped', async () => {
  let isStopped = false;
  const { lines, error } = await outcomeOf(
    [
      [
        [
          'stops it',
          async () => {
            isStopped = true;
          },
        ],
        ['comes too late', async () => undefined],
      ],
    ],
    { isStopped: () => isStopped },
  );
  expect(lines).toEqual(['== stops it', '== stops it: done']);
  expect(error).toBeUndefined();
});
