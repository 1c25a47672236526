// SPDX-License-Identifier: Apache-2.0
import type { ConversionEvent } from '@rkt/docker2aci';
import { describe, expect, it } from 'vitest';
import { createProgress } from '../../src/render/progress/create-progress.ts';
import { layerLine } from '../../src/render/progress/layer-line.ts';
import { fakeIo } from '../support/fake-io.ts';
import { argumentsOf } from '../support/flags.ts';

const hex = 'ab'.repeat(32);
const digest = `sha256:${hex}`;
const diffId = `sha256:${'cd'.repeat(32)}`;
const events: readonly ConversionEvent[] = [
  { type: 'layer:start', digest, diffId, size: 4 << 20 },
  { type: 'layer:bytes', digest, received: 1 << 20, size: 4 << 20 },
  { type: 'layer:done', digest, diffId, size: 8 << 20 },
];

function shown(io = fakeIo(), ...flags: readonly string[]): string {
  const progress = createProgress(io, argumentsOf('fetch', 'x', ...flags).flags);
  for (const event of events) {
    io.time += 1000;
    progress.onEvent(event);
  }
  progress.end();
  expect(io.written.stdout).toBe('');
  return io.written.stderr;
}

describe('progress', () => {
  it('off a terminal is one line per layer with the whole digest', () => {
    expect(shown()).toBe(`Downloading layer: ${hex}\n`);
  });

  it('is nothing with --quiet, terminal or not', () => {
    expect(shown(fakeIo({ tty: true }), '--quiet')).toBe('');
  });

  it('as JSON is every event on a line of its own', () => {
    const lines = shown(fakeIo({ tty: true }), '--progress=json')
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(events);
    expect(JSON.parse(lines[0] ?? '')).toHaveProperty('time', '2026-01-02T03:04:06.000Z');
  });

  it('on a terminal is a bar per layer that is drawn over itself', () => {
    const text = shown(fakeIo({ tty: true, env: { NO_COLOR: '1' } }));
    expect(text).toContain('Downloading layer: abababababab [');
    expect(text).toContain('1.0MiB / 4.0MiB  1.0MiB/s  ETA 3s');
    expect(text).toContain('\u001b[1F\u001b[J');
    expect(text.endsWith('4.0MiB / 4.0MiB\n')).toBe(true);
    expect(text).not.toContain('\u001b[36m');
  });

  it('has colour unless NO_COLOR is set, and no bars on a dumb terminal', () => {
    expect(shown(fakeIo({ tty: true }))).toContain('\u001b[36m');
    expect(shown(fakeIo({ tty: true, env: { TERM: 'dumb' } }))).toBe(`Downloading layer: ${hex}\n`);
  });

  it('of a layer that is only looked through says so', () => {
    const measuring = [
      { type: 'image:schema1', reference: 'x' },
      { type: 'measure:start', digest, size: 4 << 20 },
      { type: 'measure:bytes', digest, received: 1 << 20, size: 4 << 20 },
      { type: 'measure:done', digest, diffId },
    ] as const;
    const drawn = (io: ReturnType<typeof fakeIo>, ...flags: readonly string[]) => {
      const progress = createProgress(io, argumentsOf('fetch', 'x', ...flags).flags);
      for (const event of measuring) {
        io.time += 1000;
        progress.onEvent(event);
      }
      progress.end();
      return io.written.stderr;
    };
    expect(drawn(fakeIo())).toBe(`Reading layer: ${hex}\n`);
    const bars = drawn(fakeIo({ tty: true, env: { NO_COLOR: '1' } }));
    expect(bars).toContain('Reading layer: abababababab [');
    expect(bars).toContain('1.0MiB / 4.0MiB  1.0MiB/s  ETA 3s');
    expect(bars.endsWith('4.0MiB / 4.0MiB\n')).toBe(true);
    expect(bars).not.toContain('Downloading');
    expect(drawn(fakeIo(), '--quiet')).toBe('');
    expect(
      drawn(fakeIo(), '--progress=json')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject(measuring);
  });

  it('is drawn at most ten times a second however many events come', () => {
    const io = fakeIo({ tty: true });
    const progress = createProgress(io, argumentsOf('fetch', 'x').flags);
    progress.onEvent({ type: 'layer:start', digest, diffId, size: 1000 });
    for (let received = 1; received <= 1000; received += 1) {
      io.time += 1;
      progress.onEvent({ type: 'layer:bytes', digest, received, size: 1000 });
    }
    expect(io.written.stderr.split('\u001b[J').length - 1).toBeLessThanOrEqual(11);
  });

  it.each([20, 40, 60, 80, 200])('is never wider than a terminal of %d columns', (width) => {
    for (const received of [0, 1, 500, 1000, 5000]) {
      for (const phase of ['download', 'wait', 'done'] as const) {
        const layer = { name: 'abababababab', phase, size: 1000, received, startedAt: 0 };
        expect(layerLine(layer, { width, color: false, now: 9_000_000 }).length).toBeLessThan(width);
      }
    }
  });

  it('of an empty layer is complete', () => {
    const layer = { name: 'a', phase: 'download', size: 0, received: 0, startedAt: 0 } as const;
    expect(layerLine(layer, { width: 80, color: false, now: 0 })).toContain('=] 0B / 0B');
  });
});
