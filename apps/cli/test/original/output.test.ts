// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '@rkt/stage1';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeIo } from '../support/fake-io.ts';
import { type FakeRuntime, fakeRuntime } from '../support/fake-runtime.ts';
import { rktWith } from '../support/run-rkt.ts';
import { recordedCase } from './recorded.ts';
import { recordedPods, recordedStore } from './recorded-pods.ts';

/** A moment at which what was recorded with `... ago` is true, for pods and for images. */
const listedPods = Date.UTC(2026, 10, 23, 15, 9, 6);
const listedImages = Date.UTC(2026, 10, 23, 15, 8, 59, 990);

let dir: string;
let runtime: FakeRuntime;
beforeEach(() => {
  process.env['TZ'] = 'UTC';
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-original-'));
  mkdirSync(join(dir, 'data/cas'), { recursive: true });
  runtime = fakeRuntime();
  for (const pod of recordedPods()) runtime.pods.set(pod.id, pod);
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Runs the recorded command line where the original's pods and images are. */
async function again(name: string, now: number): Promise<string> {
  const rkt = rktWith(dir, { openRuntime: async () => runtime, openStore: async () => recordedStore() });
  const io = Object.assign(fakeIo(), { time: now });
  const { status, stdout, stderr } = await rkt.within(io, ...recordedCase(name).argv);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** The original lists pods by UUID; here the newest is last. The header stays first. */
function byUuid(table: string, headers: number): string {
  const lines = table.split('\n').slice(0, -1);
  return `${[...lines.slice(0, headers), ...lines.slice(headers).sort()].join('\n')}\n`;
}

/** Times of apps to the millisecond, as rkt has them. */
function inMilliseconds(json: string): string {
  return json.replace(/("(?:created_at|started_at|import_time|last_used_time)": ?\d{13})\d{6}/g, '$1000000');
}

/** Its registry, whose name has a colon here and had an underscore there. */
function withPort(text: string): string {
  return text.replaceAll('127.0.0.1_5501', '127.0.0.1:5501');
}

/** What `status`, and the JSON of pods, have beyond the original's. */
function withoutImageNames(text: string): string {
  return text
    .replace(/^app-.*-image=.*\n/gm, '')
    .replace(/\s*"image_name": ?"[^"]*",?/g, '')
    .replace(/,(\s*\})/g, '$1');
}

/** What the JSON of images has beyond the original's. */
function withoutNames(json: string): string {
  return json.replace(/,?\s*"names":\s*\[[^\]]*\]/g, '');
}

describe('list prints what the original printed', () => {
  it.each([
    ['rkt/list', 1],
    ['rkt/list-full', 1],
    ['rkt/list-nolegend', 0],
  ])('%s, byte for byte but for the order', async (name, headers) => {
    expect(byUuid(await again(name, listedPods), headers)).toBe(withPort(recordedCase(name).stdout));
  });

  it.each(['rkt/list-json', 'rkt/list-jsonpretty'])('%s', async (name) => {
    const expected = inMilliseconds(recordedCase(name).stdout);
    // An app that could not be started has a status here.
    const printed = withoutImageNames(await again(name, listedPods)).replace(/\s*"exit_code": ?254,/, '');
    const pods: readonly { name: string }[] = JSON.parse(printed);
    const sorted = [...pods].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(`${JSON.stringify(sorted, null, name.endsWith('pretty') ? '\t' : 0)}\n`).toBe(expected);
  });

  it('rkt/list-empty', async () => {
    runtime.pods.clear();
    expect(await again('rkt/list-empty', listedPods)).toBe(recordedCase('rkt/list-empty').stdout);
  });
});

describe('status prints what the original printed', () => {
  it.each(['rkt/status-running', 'rkt/status-running-prefix', 'rkt/status-exited'])('%s', async (name) => {
    // What a pod that has ended was run by is not kept.
    const expected = name.endsWith('exited')
      ? recordedCase(name).stdout.replace(/^pid=.*\n/m, '')
      : recordedCase(name).stdout;
    expect(withoutImageNames(await again(name, listedPods))).toBe(expected);
  });

  it.each(['rkt/status-running-json', 'rkt/status-exited-json'])('%s', async (name) => {
    expect(withoutImageNames(await again(name, listedPods))).toBe(inMilliseconds(recordedCase(name).stdout));
  });

  it('rkt/status-prepared', async () => {
    const [{ apps = [], ...pod } = {}] = recordedPods();
    const id = '88c15bd4-191d-466f-a3e4-a57bc7356264';
    const prepared = { ...pod, id, state: 'prepared', apps, createdAt: Date.UTC(2026, 10, 23, 15, 9, 9, 886) };
    const { startedAt: _, ...unstarted } = prepared as Pod;
    runtime.pods.set(id, unstarted);
    const printed = withoutImageNames(await again('rkt/status-prepared', listedPods));
    expect(printed).toBe(recordedCase('rkt/status-prepared').stdout);
  });
});

describe('cat-manifest prints what the original printed', () => {
  it('indents by tabs', async () => {
    const { stdout } = recordedCase('rkt/cat-manifest');
    const id = 'fb6daaa5-1693-4bd1-9007-759df0f8e096';
    const pod = runtime.pods.get(id);
    if (pod === undefined) throw new TypeError('it was recorded');
    runtime.pods.set(id, { ...pod, manifest: JSON.parse(stdout) });
    expect(await again('rkt/cat-manifest', listedPods)).toBe(stdout);
  });
});

describe('image list prints what the original printed', () => {
  it.each(['rkt/image-list', 'rkt/image-list-full', 'rkt/image-list-fields', 'rkt/image-list-nolegend'])(
    '%s, byte for byte',
    async (name) => {
      expect(await again(name, listedImages)).toBe(recordedCase(name).stdout);
    },
  );

  it('rkt/image-list-order, by the size that is shown: the original sorts by that of the ACI alone', async () => {
    const name = 'rkt/image-list-order';
    const [header, ...rows] = recordedCase(name).stdout.split('\n');
    const [stage1, alpine, busybox, archived, ...rest] = rows;
    expect(await again(name, listedImages)).toBe([header, stage1, alpine, archived, busybox, ...rest].join('\n'));
  });

  it('rkt/image-list-jsonpretty, and names', async () => {
    const name = 'rkt/image-list-jsonpretty';
    expect(withoutNames(await again(name, listedImages))).toBe(inMilliseconds(recordedCase(name).stdout));
  });

  it('rkt/image-list-aftergc', async () => {
    rmSync(join(dir, 'data/cas'), { recursive: true });
    expect(await again('rkt/image-list-aftergc', listedImages)).toBe(recordedCase('rkt/image-list-aftergc').stdout);
  });
});
