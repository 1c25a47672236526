// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { createProgress } from '../../../src/render/progress/create-progress.ts';
import type { ImageEvent } from '../../../src/render/progress/progress.ts';
import { type FakeIo, fakeIo } from '../../support/fake-io.ts';
import { argumentsOf } from '../../support/flags.ts';

const hex = 'ab'.repeat(32);
const digest = `sha256:${hex}`;
const diffId = `sha256:${'cd'.repeat(32)}`;
const events: readonly ImageEvent[] = [
  {
    type: 'image:start',
    reference: 'docker.io/library/x:latest',
    source: 'registry',
    layers: [{ digest, diffId, size: 4 << 20 }],
  },
  { type: 'layer:start', digest, diffId, size: 4 << 20 },
  { type: 'layer:bytes', digest, received: 1 << 20, size: 4 << 20 },
  { type: 'layer:done', digest, diffId, size: 8 << 20 },
];

function shown(io: FakeIo, told: readonly ImageEvent[], ...flags: readonly string[]): string {
  const progress = createProgress(io, argumentsOf('fetch', 'x', ...flags).flags);
  for (const event of told) {
    io.time += 1000;
    progress.onEvent(event);
  }
  progress.end();
  expect(io.written.stdout).toBe('');
  return io.written.stderr;
}

describe('progress', () => {
  it('off a terminal is one line per layer with the whole digest', () => {
    expect(shown(fakeIo(), events)).toBe(`Downloading layer: ${hex}\n`);
  });

  it('says that layers of this machine are copied, and the next image is downloaded again', () => {
    const copied = events.map((event) =>
      event.type === 'image:start' ? { ...event, source: 'archive' as const } : event,
    );
    expect(shown(fakeIo(), copied)).toBe(`Copying layer: ${hex}\n`);
    expect(shown(fakeIo(), [...copied, ...events])).toBe(`Copying layer: ${hex}\nDownloading layer: ${hex}\n`);
  });

  it.each([['--quiet'], ['-q'], ['--progress=none']])('is nothing with %s, terminal or not', (flag) => {
    expect(shown(fakeIo({ tty: true }), events, flag)).toBe('');
    expect(shown(fakeIo(), events, flag)).toBe('');
  });

  it('as JSON is every event on a line of its own, with the version and the time', () => {
    const text = shown(fakeIo({ tty: true }), events, '--progress=json');
    const lines = text.split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(events);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ version: 1, time: '2026-01-02T03:04:06.000Z' });
  });

  it('as JSON says when every byte is there, also with --quiet', () => {
    const all: ImageEvent = { type: 'layer:bytes', digest, received: 10, size: 10 };
    const lines = shown(fakeIo(), [all], '--progress=json', '--quiet').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([all, { version: 1, type: 'layer:verify', digest }]);
  });

  it('as JSON has nothing in it that a terminal could act on', () => {
    const image = 'docker://a\u001b[2J\u009b31m\u202eb';
    const text = shown(fakeIo(), [{ type: 'image:stored', image, id: 'sha512-00' }], '--progress=json');
    expect(text).toMatch(/^[ -~]+\n$/);
    expect(JSON.parse(text)).toMatchObject({ image });
  });

  it('is live on a terminal, and elsewhere when that is asked for', () => {
    for (const io of [fakeIo({ tty: true }), fakeIo()]) {
      const text = shown(io, events, ...(io.stderr.isTTY ? [] : ['--progress=tty']));
      expect(text).toContain('1.0MiB / 4.0MiB  1.0MiB/s  ETA 3s');
      expect(text).toContain('\u001b[1F\u001b[J');
      expect(text.includes('\u001b[36m')).toBe(io.stderr.isTTY);
    }
  });

  it.each([
    ['--progress=plain', {}],
    ['--progress=auto', { TERM: 'dumb' }],
  ] as const)('is plain on a terminal with %s and %o', (flag, env) =>
    expect(shown(fakeIo({ tty: true, env }), events, flag)).toBe(`Downloading layer: ${hex}\n`),
  );

  it('of a layer that is only looked through says so', () => {
    const measuring: readonly ImageEvent[] = [
      { type: 'image:schema1', reference: 'x' },
      { type: 'measure:start', digest, size: 4 << 20 },
      { type: 'measure:bytes', digest, received: 1 << 20, size: 4 << 20 },
      { type: 'measure:done', digest, diffId },
    ];
    expect(shown(fakeIo(), measuring)).toBe(`Reading layer: ${hex}\n`);
    const live = shown(fakeIo({ tty: true, env: { NO_COLOR: '1' } }), measuring);
    expect(live).toContain('abababababab: Reading     [');
    expect(live).not.toContain('Download');
    expect(shown(fakeIo(), measuring, '--quiet')).toBe('');
  });
});
