// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installedLibraries } from '../../src/wiring/installed-libraries.ts';
import { fakeRuntime } from '../support/fake-runtime.ts';
import { fakeWeb } from '../support/fake-web.ts';
import { type Result, type Rkt, rktWith } from '../support/run-rkt.ts';
import { layerOf } from '../support/tar.ts';
import { codeIn, differences } from './differences.ts';
import { type RecordedCase, recorded } from './recorded.ts';

/** Where the original's registry was, and the image it had. */
const ADDRESS = '127.0.0.1:5501';
const BUSYBOX = 'sha512-77f008e4cd982ad11601b8234aa4ccf2dcd81176410636c98474bf59e8883709';

/** Recorded in a state or a kind of pod that this suite does not make: other tests have them. */
const elsewhere = new Set([
  // Pods and images that were there: output.test.ts and ../commands.
  ...[...recorded.keys()].filter((name) => /^rkt\/(list|status|cat-manifest|image-list|image-cat)/.test(name)),
  ...[
    'gc',
    'gc-default',
    'image-gc-0',
    'image-rm',
    'image-extract-again',
    'rm',
    'rm-running',
    'stop',
    'stop-exited',
  ].map((name) => `rkt/${name}`),
  // Files that are written or were there before: ../commands.
  ...['export-pod', 'image-export', 'image-export-again'].map((name) => `rkt/${name}`),
  // What only a runtime can refuse: tests/e2e/test/differences.test.ts.
  ...['run-bad-net', 'run-bad-stage1-name', 'run-bad-user', 'run-missing-volsrc'].map((name) => `errors/${name}`),
  ...['enter-noarg', 'run-prepared-again', 'run-exit3', 'prepare'].map((name) => `rkt/${name}`),
  // Several apps in one pod, volumes and image of redis, an image by a digest of its own: ../commands.
  'errors/run-dup-app',
  ...['run-dup-app', 'run-two-apps-fly', 'run-redis-missing-volume'].map((name) => `rkt/${name}`),
  'errors/by-digest',
  // Its own version, its own form of configuration: ../commands.
  ...['version', 'config'].map((name) => `rkt/${name}`),
]);

/** Rows of messages: the case, what rkt 1.30.0 says, what rkt says, why. */
const rows = new Map(
  differences('Messages').map(([name = '', theirs = '', ours = '', why = '']) => [
    codeIn(name)[0] ?? '',
    { theirs: codeIn(theirs)[0], ours: codeIn(ours)[0], why },
  ]),
);

const dirs: string[] = [];
let registry: TestRegistry;
let stocked: Rkt;
let id: string;

beforeAll(async () => {
  registry = await startTestRegistry();
  for (const repository of ['library/busybox', 'library/alpine']) {
    const layers = [layerOf('bin/sh', repository)];
    await registry.putImage({ repository, tag: 'latest' }, { layers, config: { Cmd: ['sh'] } });
  }
  stocked = await installation();
  const image = `docker://${registry.domain}/library/busybox`;
  id = (await stocked('--insecure-options=image', 'fetch', '--full', image)).stdout.trim();
});
afterAll(async () => {
  await registry.close();
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

/** An rkt of its own; its pods end at once, and real is what it says about pods there are none of. */
async function installation(): Promise<Rkt> {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-cli-original-'));
  dirs.push(dir);
  const runtime = fakeRuntime(join(dir, 'data'));
  const real = await installedLibraries.openRuntime({ dataDir: join(dir, 'data'), configDirs: [] });
  runtime.resolve = (prefix) => real.resolve(prefix);
  const { startApp } = runtime;
  runtime.startApp = async (...started) => {
    const app = await startApp(...started);
    runtime.exit(0);
    return app;
  };
  const probeErofs = async () => ({ usable: false, reason: 'a test' }) as const;
  // Of all servers of ACIs that are asked, this one is there.
  const web = fakeWeb();
  web.serve(registry.origin, { status: 404 });
  return rktWith(dir, { openRuntime: async () => runtime, probeErofs, ...web.libraries });
}

/** The same command line, given to rkt; addresses and IDs are those of the record. */
async function again({ name, argv }: RecordedCase): Promise<Result> {
  const isCold = name.includes('missing') || /^errors\/(fetch|bad)/.test(name);
  const rkt = isCold ? await installation() : stocked;
  const theirs = (text: string): string =>
    text.replaceAll(id, BUSYBOX).replaceAll(id.slice(0, 39), BUSYBOX.slice(0, 39));
  const here = (text: string): string => text.replaceAll(ADDRESS, registry.domain).replaceAll(BUSYBOX, id);
  const { status, stdout, stderr } = await rkt(...argv.map(here));
  const there = (text: string): string => theirs(text).replaceAll(registry.domain, ADDRESS);
  return { status, stdout: there(stdout), stderr: there(stderr) };
}

/** Without what the section "Everywhere" of the document says of every command. */
function comparable({ status, stdout, stderr }: Result): string {
  const told = stderr
    .split('\n')
    .filter((line) => !/^(hint: |rkt: (fetching|importing) image|rkt: warning: image sign|Downloading )/.test(line))
    .filter((line) => !/: group "rkt" not found|^Run 'rkt --help' for usage\.$|^$/.test(line));
  const said = stdout.replace(/^\(help\)\n/, '');
  return [status, ...said.split('\n'), ...told].filter((line) => line !== '').join('\n');
}

/** The original begins with `Error: ` where its flag library speaks, and with the command elsewhere. */
function unprefixed(text: string): string {
  return text.replace(/^(\d+\n)(Error|[a-z-]+): /, '$1');
}

/** The status and the first line: what the document shows of a case. */
function summary(text: string): string {
  const [status, ...lines] = text.split('\n');
  return [status, ...lines.slice(0, 1)].join(' ');
}

describe('rkt says what the original said, or the document says why not', () => {
  it.each([...recorded.values()].filter(({ name }) => !elsewhere.has(name)))('$name', async (original) => {
    const theirs = comparable(original);
    const ours = comparable(await again(original));
    const row = rows.get(original.name);
    if (unprefixed(theirs) === unprefixed(ours)) expect(row, 'it is the same: the row can go').toBeUndefined();
    else expect([row?.theirs, row?.ours]).toEqual([summary(theirs), summary(ours)]);
  });

  it('and the document has no row for what was not recorded, nor one without a reason', () => {
    expect([...rows.keys()].filter((name) => !recorded.has(name) || elsewhere.has(name))).toEqual([]);
    expect([...rows].filter(([, { why }]) => why.length < 10)).toEqual([]);
  });

  it('and what is tested elsewhere was recorded', () => {
    expect([...elsewhere].filter((name) => !recorded.has(name))).toEqual([]);
  });
});
