// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createScreen } from './support/screen.ts';
import { layerOf } from './support/tar.ts';

/* rkt as a process of its own, on a pseudo-terminal of script(1). */

const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
const small = layerOf('etc/small', 'small\n');
const large = layerOf('etc/large', randomBytes(300_000).toString('base64'));
let registry: TestRegistry;
let smallDigest: string;
let largeDigest: string;
let dir: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  registry = await startTestRegistry();
  const { layers } = await registry.putImage({ repository: 'app', tag: 'latest' }, { layers: [small, large] });
  [smallDigest, largeDigest] = [layers[0]?.digest ?? '', layers[1]?.digest ?? ''];
});
afterAll(() => registry.close());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-terminal-'));
  mkdirSync(join(dir, 'etc'));
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  registry.clearFaults();
  rmSync(dir, { recursive: true });
});

function commandLine(...argv: readonly string[]): readonly string[] {
  const node = [process.execPath, '--conditions=@rkt/source', '--disable-warning=ExperimentalWarning', bin];
  const globals = [`--dir=${dir}/data`, '--local-config=', '--system-config='];
  return [...node, ...globals, '--insecure-options=image', ...argv];
}

const fetchApp = (): readonly string[] => ['fetch', `docker://${registry.domain}/app`];

interface OnTerminal {
  type(keys: string): void;
  /** Everything that was written to the terminal. */
  output(): string;
  /** What is left on a terminal of 80 columns, and where the cursor is. */
  seen(): Promise<{ readonly lines: readonly string[]; readonly column: number }>;
  /** What the shell says of it. */
  ended: Promise<number | null>;
}

/** Runs a line of sh on a terminal. */
function onTerminal(line: string, env: Readonly<Record<string, string>> = {}): OnTerminal {
  const options = { stdio: 'pipe', env: { ...process.env, TERM: 'xterm', ...env } } as const;
  const child = spawn('script', ['-qec', `stty rows 24 cols 80; ${line}`, '/dev/null'], options);
  running.add(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return {
    type: (keys) => child.stdin.write(keys),
    output: () => output,
    seen: async () => {
      const screen = createScreen(80, 24);
      await screen.write(output);
      return { lines: screen.lines(), column: screen.cursor().column };
    },
    ended: once(child, 'close').then(([status]: readonly (number | null)[]) => {
      running.delete(child);
      return status ?? null;
    }),
  };
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ');
}

describe('on a terminal, fetch', () => {
  it('shows its layers, and what is left is readable', async () => {
    registry.fail({ path: largeDigest, action: { kind: 'drip', chunkBytes: 50_000, everyMs: 150 } });
    const { ended, seen, output } = onTerminal(quoted(commandLine(...fetchApp())));
    expect(await ended).toBe(0);
    const { lines, column } = await seen();
    expect([lines.slice(0, 2), column]).toEqual([
      [
        `rkt: fetching image from docker://${registry.domain}/app`,
        'rkt: warning: image signature verification has been disabled',
      ],
      0,
    ]);
    expect(lines.slice(2, 4).sort()).toEqual(
      [smallDigest, largeDigest]
        .map((digest) => digest.slice(7, 19))
        .sort()
        .map((name) => expect.stringMatching(new RegExp(`^${name}: Downloaded  \\S+$`))),
    );
    expect(lines.slice(4)).toEqual([
      expect.stringMatching(/^Done: 2 layers; \d+KiB in [\d.]+s \(.*\/s\)$/),
      expect.stringMatching(/^sha512-[0-9a-f]{32}$/),
    ]);
    expect(output()).toMatch(/: Downloading \[\u001b\[36m=*> *\u001b\[39m\] \d+KiB \/ \d+KiB {2}\d+KiB\/s {2}ETA \ds/);
    expect(output()).toContain('Total: 1 of 2 layers');
  });

  it('has no colours with NO_COLOR, and no lines of its own with --progress=plain or none', async () => {
    const plain = [`Downloading layer: ${smallDigest.slice(7)}`, `Downloading layer: ${largeDigest.slice(7)}`].sort();
    const colourless = onTerminal(quoted(commandLine(...fetchApp())), { NO_COLOR: '1' });
    expect([await colourless.ended, /\u001b\[3\dm/.test(colourless.output())]).toEqual([0, false]);
    rmSync(join(dir, 'data'), { recursive: true });
    const lines = onTerminal(quoted(commandLine(...fetchApp(), '--progress=plain')));
    expect([await lines.ended, lines.output().includes('\u001b')]).toEqual([0, false]);
    expect(lines.output().split('\r\n').slice(2, 4).sort()).toEqual(plain);
    rmSync(join(dir, 'data'), { recursive: true });
    const quiet = onTerminal(quoted(commandLine(...fetchApp(), '-q')));
    expect([await quiet.ended, quiet.output()]).toEqual([0, expect.stringMatching(/^sha512-[0-9a-f]{32}\r\n$/)]);
  });

  it('is called off by Ctrl-C at once, keeps what is complete, and ends the loop it was in', async () => {
    registry.fail({ path: largeDigest, action: { kind: 'stall', afterBytes: 20_000 } });
    const loop = `for each in 1 2 3; do ${quoted(commandLine(...fetchApp()))}; done; echo went on`;
    const { type, ended, seen, output } = onTerminal(`bash -c "${loop}"`);
    await vi.waitFor(() => expect(output()).toMatch(/Downloaded[\s\S]*Total: 1 of 2/), { timeout: 15_000 });
    const began = performance.now();
    type('\u0003');
    expect(await ended).toBe(130);
    expect(performance.now() - began).toBeLessThan(3000);
    const { lines, column } = await seen();
    expect(lines.slice(-4)).toEqual([
      expect.stringMatching(new RegExp(`^${largeDigest.slice(7, 19)}: Downloading .* \\d+KiB / `)),
      expect.stringMatching(/^Total: 1 of 2 layers /),
      'fetch: interrupted by SIGINT',
      'hint: layers that were complete are kept; the same command fetches the others',
    ]);
    expect([column, output().includes('went on')]).toEqual([0, false]);
    expect(readdirSync(join(dir, 'data/cas/tmp'))).toEqual([]);
    // The layer that was complete does not come again.
    registry.clearFaults();
    const before = registry.requests.length;
    const again = spawnAsync(commandLine(...fetchApp(), '-q'));
    expect(await again).toEqual({ status: 0, signal: null });
    const asked = registry.requests.slice(before).filter(({ path }) => path.includes('/blobs/sha256:'));
    expect(asked.some(({ path }) => path.includes(smallDigest))).toBe(false);
    expect(asked.some(({ path }) => path.includes(largeDigest))).toBe(true);
  }, 60_000);

  it('that fails leaves the cursor where a shell can go on', async () => {
    registry.fail({ path: largeDigest, action: { kind: 'corrupt', offset: 10 } });
    const { ended, seen } = onTerminal(quoted(commandLine(...fetchApp())));
    expect(await ended).toBe(254);
    const { lines, column } = await seen();
    expect([lines.filter((line) => line.startsWith('fetch: ')).length, column]).toEqual([1, 0]);
  }, 60_000);
});

async function spawnAsync(
  command: readonly string[],
): Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: 'ignore' });
  running.add(child);
  const [status, signal]: readonly unknown[] = await once(child, 'close');
  running.delete(child);
  return {
    status: typeof status === 'number' ? status : null,
    signal: signal === 'SIGINT' || signal === 'SIGTERM' || signal === 'SIGHUP' ? signal : null,
  };
}

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'off a terminal, %s ends fetch, and that is what is seen of it',
  async (signal) => {
    registry.fail({ path: largeDigest, action: { kind: 'stall', afterBytes: 20_000 } });
    const [file = '', ...args] = commandLine(...fetchApp());
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    running.add(child);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    await vi.waitFor(() => expect(stderr).toContain(largeDigest.slice(7)), { timeout: 15_000 });
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([null, signal]);
    running.delete(child);
    expect(stderr).toContain(`\nfetch: interrupted by ${signal}\n`);
  },
  30_000,
);

it('facts as JSON are lines of their own while fetch goes on', async () => {
  registry.fail({ path: largeDigest, action: { kind: 'stall', afterBytes: 20_000 } });
  const file = join(dir, 'facts');
  writeFileSync(file, '');
  const { type, ended } = onTerminal(`${quoted(commandLine(...fetchApp(), '--progress=json'))} 2>'${file}'`);
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toMatch(/"layer:done"[\s\S]*\n$/), { timeout: 15_000 });
  type('\u0003');
  expect(await ended).toBe(130);
  const facts = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(facts.at(-1)).toMatchObject({ type: 'error', code: 'ERR_RKT_CLI_INTERRUPTED' });
}, 30_000);
