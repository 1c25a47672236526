// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { createLiveProgress } from '../../../src/render/progress/live-progress.ts';
import type { ComingLayer, ImageEvent, LayerSource } from '../../../src/render/progress/progress.ts';
import { type FakeIo, type FakeIoOptions, fakeIo } from '../../support/fake-io.ts';
import { createScreen, type Screen } from '../../support/screen.ts';

const MiB = 1 << 20;
const sha = (byte: number): string => `sha256:${byte.toString(16).padStart(2, '0').repeat(32)}`;
const layers = (count: number): readonly ComingLayer[] =>
  Array.from({ length: count }, (_, at) => ({ digest: sha(at), diffId: sha(100 + at), size: 4 * MiB }));
const opened = (count: number, source: LayerSource = 'registry'): ImageEvent => ({
  type: 'image:start',
  reference: 'a',
  source,
  layers: layers(count),
});
const started = (at: number): ImageEvent => ({
  type: 'layer:start',
  digest: sha(at),
  diffId: sha(100 + at),
  size: 4 * MiB,
});
const bytes = (at: number, received: number): ImageEvent => ({
  type: 'layer:bytes',
  digest: sha(at),
  received,
  size: 4 * MiB,
});
const done = (at: number): ImageEvent => ({
  type: 'layer:done',
  digest: sha(at),
  diffId: sha(100 + at),
  size: 9 * MiB,
});
const present = (at: number): ImageEvent => ({ type: 'layer:present', digest: sha(at), diffId: sha(100 + at) });
const waiting = (at: number): ImageEvent => ({ type: 'layer:wait', digest: sha(at), diffId: sha(100 + at) });

interface Watched {
  readonly io: FakeIo;
  readonly screen: Screen;
  readonly end: () => void;
  tell(...events: readonly ImageEvent[]): void;
  /** What is to be seen by now. */
  seen(): Promise<readonly string[]>;
}

function watched({ columns = 80, rows = 24, env = {} }: FakeIoOptions = {}): Watched {
  const io = fakeIo({ tty: true, columns, rows, env });
  const screen = createScreen(columns, rows);
  const { onEvent, end } = createLiveProgress(io);
  let taken = 0;
  return {
    io,
    screen,
    end,
    tell: (...events) => {
      for (const event of events) onEvent(event);
    },
    seen: async () => {
      const { stderr } = io.written;
      await screen.write(stderr.slice(taken));
      taken = stderr.length;
      return screen.lines();
    },
  };
}

describe('live progress', () => {
  it('is a line for every layer in its state, and the total', async () => {
    const { io, tell, seen, end } = watched();
    tell(opened(5), present(0), started(1), started(2), waiting(3));
    io.pass(1000);
    tell(bytes(1, MiB), bytes(2, 4 * MiB));
    io.pass(100);
    expect(await seen()).toEqual([
      '000000000000: Present     already in the store',
      '010101010101: Downloading [==>       ] 1.0MiB / 4.0MiB  931KiB/s  ETA 4s',
      '020202020202: Verifying   [==========] 4.0MiB / 4.0MiB',
      '030303030303: Waiting     for another rkt that downloads it',
      'Total: 1 of 5 layers      [====>     ] 5.0MiB / 12MiB  4.5MiB/s  ETA 2s',
    ]);
    tell(done(2), done(1), present(3), started(4), bytes(4, 4 * MiB), done(4));
    tell({ type: 'image:hashing' });
    expect((await seen()).slice(1)).toEqual([
      '020202020202: Downloaded  4.0MiB',
      '010101010101: Downloaded  4.0MiB',
      '030303030303: Present     already in the store',
      '040404040404: Downloaded  4.0MiB',
      'Converting                computing the image ID',
    ]);
    tell({ type: 'image:done', id: 'sha512-00', size: 1 });
    end();
    expect((await seen()).slice(5)).toEqual(['Done: 5 layers, 2 already in the store; 12MiB in 1.1s (11MiB/s)']);
  });

  it('says of layers of this machine that they are copied', async () => {
    const { tell, seen } = watched();
    tell(opened(3, 'archive'), present(0), started(1), started(2), done(2));
    expect((await seen()).slice(0, 3)).toEqual([
      '000000000000: Present     already in the store',
      '020202020202: Copied      4.0MiB',
      '010101010101: Copying     [>         ] 0B / 4.0MiB',
    ]);
  });

  it('says nothing of the whole where one layer is all, nor of what did not have to come', async () => {
    const one = watched();
    one.tell(opened(1), started(0));
    expect(await one.seen()).toEqual(['000000000000: Downloading [>         ] 0B / 4.0MiB']);
    const none = watched();
    none.tell(opened(1), present(0), { type: 'image:hashing' }, { type: 'image:done', id: 'sha512-00', size: 1 });
    none.end();
    expect(await none.seen()).toEqual(['000000000000: Present     already in the store']);
  });

  it('goes on while nothing comes, and says so', async () => {
    const { io, tell, seen } = watched();
    tell(opened(1), started(0));
    io.pass(1000);
    tell(bytes(0, MiB));
    io.pass(3000);
    expect(await seen()).toEqual(['000000000000: Downloading [==>       ] 1.0MiB / 4.0MiB  256KiB/s  ETA 12s']);
    io.pass(10_000);
    expect(await seen()).toEqual(['000000000000: Downloading [==>       ] 1.0MiB / 4.0MiB  stalled']);
  });

  it('never has more lines than the terminal', async () => {
    const { tell, seen, screen } = watched({ rows: 6 });
    tell(opened(40), ...Array.from({ length: 40 }, (_, at) => started(at)));
    const lines = await seen();
    expect(lines.map((line) => line.slice(0, 26).trimEnd())).toEqual([
      '000000000000: Downloading',
      '010101010101: Downloading',
      '020202020202: Downloading',
      '... and 37 more',
      'Total: 0 of 40 layers',
    ]);
    tell(...Array.from({ length: 40 }, (_, at) => done(at)));
    expect(await seen()).toEqual(Array.from({ length: 40 }, (_, at) => expect.stringContaining(sha(at).slice(7, 19))));
    expect(screen.cursor()).toEqual({ column: 0, line: 40 });
  });

  it.each([1, 2, 3])('bears a terminal of %d lines', async (rows) => {
    const { tell, seen } = watched({ rows });
    tell(opened(4), started(0), started(1), started(2));
    expect(await seen()).toHaveLength(rows - 1);
    tell(done(0), done(1), done(2));
    expect((await seen()).slice(0, 3)).toEqual([0, 1, 2].map((at) => expect.stringContaining(`0${at}: Downloaded`)));
  });

  it.each([1, 2, 8, 20, 40, 60, 79])('is as narrow as a terminal of %d columns', async (columns) => {
    const { io, tell, seen, screen } = watched({ columns });
    tell(opened(3), started(0), waiting(1), started(2));
    io.pass(1000);
    tell(bytes(0, MiB), present(1), done(2));
    expect((await seen()).every((line) => line.length < Math.max(columns, 2))).toBe(true);
    expect(screen.cursor().column).toBe(0);
  });

  it('is drawn again when the terminal gets another size, without traces where lines were broken anew', async () => {
    const { io, tell, seen, screen } = watched();
    await screen.write('$ rkt fetch docker://a\n');
    tell(opened(2), started(0), started(1));
    await seen();
    screen.resize(40, 10);
    io.resize(40, 10);
    io.pass(1000);
    expect(await seen()).toEqual([
      '$ rkt fetch docker://a',
      '000000000000: Downloading 0B / 4.0MiB  ',
      '010101010101: Downloading 0B / 4.0MiB  ',
      'Total: 0 of 2 layers 0B / 8.0MiB  stall',
    ]);
    screen.resize(80, 24);
    io.resize(80, 24);
    expect((await seen()).map((line) => line.slice(0, 20))).toEqual([
      '$ rkt fetch docker:/',
      '000000000000: Downlo',
      '010101010101: Downlo',
      'Total: 0 of 2 layers',
    ]);
  });

  it('stays below what others write meanwhile', async () => {
    const { io, tell, seen } = watched();
    tell(opened(1), started(0));
    io.stderr.write('fetch: warning: something\n');
    io.stderr.write('without an end');
    expect(await seen()).toEqual([
      'fetch: warning: something',
      'without an end',
      '000000000000: Downloading [>         ] 0B / 4.0MiB',
    ]);
  });

  it('that is broken off stays as it is, once; then nothing is drawn, and another image begins anew', async () => {
    const { io, tell, seen, end, screen } = watched();
    tell(opened(2), started(0), started(1));
    end();
    end();
    io.stderr.write('fetch: interrupted by SIGINT\n');
    const last = ['0000', '0101', 'Tota', 'fetc'];
    expect((await seen()).map((line) => line.slice(0, 4))).toEqual(last);
    tell(bytes(0, 1), done(1));
    io.pass(1000);
    io.resize();
    expect((await seen()).map((line) => line.slice(0, 4))).toEqual(last);
    expect(screen.cursor()).toEqual({ column: 0, line: 4 });
    tell(opened(1), started(0));
    expect((await seen()).slice(4)).toEqual(['000000000000: Downloading [>         ] 0B / 4.0MiB']);
  });

  it('never hides the cursor, so that nothing has to be put right', () => {
    const { io, tell, end } = watched();
    tell(opened(2), started(0), bytes(0, 1), done(0));
    end();
    // Colours, up by lines, clear: no more than that.
    expect(io.written.stderr.replace(/\u001b\[(\d+m|\d+F|J)/g, '')).toMatch(/^[ -~\n]*$/);
  });

  it('has colours unless they are not wanted', () => {
    const text = (env: Readonly<Record<string, string>>): string => {
      const { io, tell } = watched({ env });
      tell(opened(1), started(0), done(0));
      return io.written.stderr;
    };
    expect(text({})).toContain('\u001b[36m');
    expect(text({})).toContain('\u001b[32m');
    expect(text({ NO_COLOR: '1' })).not.toMatch(/\u001b\[\d+m/);
  });

  it('is drawn at most ten times a second however many events come', () => {
    const { io, tell } = watched();
    tell(opened(1), started(0));
    for (let received = 1; received <= 1000; received += 1) {
      io.time += 1;
      tell(bytes(0, received * 4));
    }
    expect(io.written.stderr.split('\u001b[J').length - 1).toBeLessThanOrEqual(11);
  });

  it('counts a layer that is tried again from nothing', async () => {
    const { io, tell, seen } = watched();
    tell(opened(1), started(0));
    io.pass(1000);
    tell(bytes(0, 3 * MiB), started(0));
    expect(await seen()).toEqual(['000000000000: Downloading [>         ] 0B / 4.0MiB']);
  });

  it('counts layers that hold the same once', async () => {
    const { tell, seen } = watched();
    const [one, two] = layers(2);
    if (one === undefined || two === undefined) throw new Error('two layers');
    tell(
      { type: 'image:start', reference: 'a', source: 'registry', layers: [one, { ...two, diffId: one.diffId }] },
      started(1),
    );
    expect(await seen()).toEqual(['010101010101: Downloading [>         ] 0B / 4.0MiB']);
  });
});
