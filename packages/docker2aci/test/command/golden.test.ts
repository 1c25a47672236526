// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  decodeLayerIndex,
  type ImageManifest,
  type LayerEntry,
  mergeLayers,
  parseImageManifest,
  stackAcis,
  type TreeNode,
} from '@rkt/appc';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ReceivedAci, receiveAci } from '../../src/index.ts';
import { temporaryDirectory } from '../temporary.ts';
import { docker2aci } from './run-command.ts';

const path = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
const golden = (name: string): Promise<string> => readFile(path(name), 'utf8');
const saved = path('quirks.save');

async function readAci(directory: string, file: string): Promise<ReceivedAci> {
  const plain = join(directory, `${file}.plain`);
  await writeFile(plain, '');
  return receiveAci(createReadStream(join(directory, file)), { name: file, path: plain });
}

/** `rootfs/bin/sh 755 0/0 7`, and what a link leads to, of an archive. */
function listing({ index }: ReceivedAci): ReadonlySet<string> {
  return new Set(
    decodeLayerIndex(index)
      .entries.filter(({ path }) => path !== 'manifest')
      .map(lineOf),
  );
}

function lineOf(entry: LayerEntry): string {
  const size = entry.kind === 'file' ? entry.size : 0;
  const target = entry.kind === 'symlink' ? ` -> ${entry.target}` : '';
  const name = Buffer.from(entry.path, 'latin1').toString();
  return `${name}${target} ${entry.mode.toString(8)} ${entry.uid}/${entry.gid} ${size}`;
}

const KINDS: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1, s: 1, t: 1, S: 0, T: 0, '-': 0 };

/** The same of what was recorded: lines as `ls -l` has them. */
function recorded(text: string): ReadonlySet<string> {
  const lines = text.matchAll(/^.([rwxstST-]{9})\*?\s+(\d+\/\d+)\s+(\S+) \S+ \S+ (rootfs.*)$/gm);
  return new Set(
    Array.from(lines, ([, letters = '', ids = '', size = '', name = '']) => {
      const [user = 0, group = 0, other = 0] = [0, 3, 6].map((at) =>
        [...letters.slice(at, at + 3)].reduce((sum, letter) => sum + (KINDS[letter] ?? 0), 0),
      );
      const special = [2, 5, 8].reduce((sum, at) => sum * 2 + (/[stST]/.test(letters[at] ?? '') ? 1 : 0), 0);
      const mode = special * 512 + user * 64 + group * 8 + other;
      return `${name} ${mode.toString(8)} ${ids} ${size.includes(',') ? 0 : size}`;
    }),
  );
}

function difference(left: ReadonlySet<string>, right: ReadonlySet<string>): readonly string[] {
  return [...left].filter((line) => !right.has(line)).sort();
}

function byName(manifest: ImageManifest, field: 'labels' | 'annotations'): Record<string, string> {
  return Object.fromEntries((manifest[field] ?? []).map(({ name, value }) => [name, value]));
}

/** Volume paths are cleaned: the one line of the report that differs. */
const cleaned = (stdout: string): string => stdout.replace('"/Data/../data2"', '"/data2"');

describe('the original converts an archive, and so do we', () => {
  test('with the same report and the same name of the file', async () => {
    const directory = await temporaryDirectory();
    const { status, stdout } = await docker2aci(directory, saved);
    expect([status, stdout]).toEqual([0, cleaned(await golden('quirks-save-squash.stdout'))]);
  });

  test('with the same files, but for what it lost or let through, and the links it put into /dev', async () => {
    const directory = await temporaryDirectory();
    await docker2aci(directory, saved);
    const ours = listing(await readAci(directory, 'library-quirks-latest.aci'));
    const theirs = recorded(await golden('quirks-save-squash.tar.txt'));
    expect(theirs.size).toBeGreaterThan(40);
    expect(difference(ours, theirs)).toEqual([
      'rootfs/dir-to-file 644 0/0 10',
      'rootfs/file-to-dir 755 0/0 0',
      'rootfs/file-to-dir/x 644 0/0 1',
      'rootfs/hard-late 644 0/0 2',
    ]);
    expect(difference(theirs, ours)).toEqual([
      'rootfs/dev/fd -> /proc/self/fd 777 0/0 0',
      'rootfs/dev/stderr -> /dev/console 777 0/0 0',
      'rootfs/dev/stdin -> /proc/self/fd/0 777 0/0 0',
      'rootfs/dev/stdout -> /dev/console 777 0/0 0',
      'rootfs/opq/old1 644 0/0 1',
      'rootfs/opq/old2 644 0/0 1',
    ]);
  });

  test('with the same manifest, but for the differences its README lists', async () => {
    const directory = await temporaryDirectory();
    await docker2aci(directory, saved);
    const { manifest: ours } = await readAci(directory, 'library-quirks-latest.aci');
    const theirs: ImageManifest = JSON.parse(await golden('quirks-save-squash.manifest.json'));
    expect([ours.name, ours.acKind]).toEqual([theirs.name, theirs.acKind]);
    expect(byName(ours, 'labels')).toEqual(byName(theirs, 'labels'));
    const mountPoints = theirs.app?.mountPoints?.map((point) => ({
      ...point,
      path: point.path.replace('/Data/..', ''),
    }));
    expect(ours.app).toEqual({ ...theirs.app, mountPoints });
    const config = 'sha256:c59e04a3a6cc70f3c58f79d6a6f57d9346c63c36b770e29bccfe66c5928f2086';
    expect(byName(ours, 'annotations')).toEqual({
      author: 'Quirk Author <q@example.com>',
      created: '2017-07-14T02:40:00Z',
      'appc.io/docker/repository': 'library/quirks',
      'appc.io/docker/imageid': config,
      'appc.io/docker/manifesthash': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      'appc.io/docker/entrypoint': byName(theirs, 'annotations')['appc.io/docker/entrypoint'],
      'appc.io/docker/cmd': byName(theirs, 'annotations')['appc.io/docker/cmd'],
      'appc.io/docker/user': 'web:4321',
      'appc.io/docker/stopsignal': 'SIGQUIT',
    });
  });

  test('into as many ACIs as there are layers, the base first, that make the squashed image when stacked', async () => {
    const directory = await temporaryDirectory();
    const { status, stdout } = await docker2aci(directory, '-nosquash', '-compression=none', saved);
    const names = (text: string): readonly string[] => text.split('\n').filter((line) => line.endsWith('.aci'));
    // The original names the platform of the top one alone.
    const theirs = names(await golden('quirks-save-nosquash.stdout'));
    const expected = theirs.map((name) => name.replace(/latest-(\d)/, 'latest-linux-amd64-$1'));
    expect([status, names(stdout)]).toEqual([0, expected]);
    expect(stdout.split('Generated')[0]).toBe(
      cleaned(await golden('quirks-save-nosquash.stdout')).split('Generated')[0],
    );
    const acis = await Promise.all(expected.map((name) => readAci(directory, name)));
    const top = acis.at(-1)?.manifest;
    expect(top?.dependencies?.map(({ imageName, imageID }) => [imageName, imageID])).toEqual(
      acis.slice(0, -1).map(({ manifest, id }) => [manifest.name, id]),
    );
    const stack = acis.map(({ diffId, index }) => ({ diffId, index: decodeLayerIndex(index) }));
    const last = stack.length - 1;
    const spans = stack.map((_, position) =>
      position === last ? { first: 0, position, pathWhitelist: top?.pathWhitelist } : { first: position, position },
    );
    await docker2aci(directory, saved);
    const squashed = await readAci(directory, 'library-quirks-latest.aci');
    const whole = mergeLayers(
      stackAcis([{ diffId: squashed.diffId, index: decodeLayerIndex(squashed.index) }], [{ first: 0, position: 0 }]),
    );
    expect(described(mergeLayers(stackAcis(stack, spans)).root)).toEqual(described(whole.root));
  });
});

function described(node: TreeNode): unknown {
  const { kind, attributes } = node;
  const size = node.kind === 'file' ? node.size : undefined;
  if (node.kind !== 'directory') return { kind, attributes, size };
  const names = [...node.children].sort(([left], [right]) => (left < right ? -1 : 1));
  return { kind, attributes, children: names.map(([name, child]) => [name, described(child)]) };
}

describe('the original refuses a command line, and so do we', () => {
  test('with the same usage, which knows zstd besides', async () => {
    const usage = (await golden('d2a-noargs.stderr'))
      .replace('(gzip|none)', '(gzip|none|zstd)')
      .replace('gzip, none (', 'gzip, none, zstd (');
    expect(await docker2aci('/nowhere')).toEqual({ status: 2, stdout: '', stderr: usage });
    expect(await docker2aci('/nowhere', '--nosuch', 'x')).toEqual({
      status: 2,
      stdout: '',
      stderr: `flag provided but not defined: -nosuch\n${usage}`,
    });
  });

  test('with the same words about a compression it does not know', async () => {
    const stderr = await golden('d2a-badcompression.stderr');
    expect(await docker2aci('/nowhere', '--compression=xz', 'docker://x')).toEqual({ status: 1, stdout: '', stderr });
  });
});

describe('the original converts an image of a registry, and so do we', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startTestRegistry();
    const layout = await mkdtemp(join(tmpdir(), 'docker2aci-layout-'));
    execFileSync('tar', ['--extract', `--file=${path('quirks.oci.tar')}`, `--directory=${layout}`]);
    await registry.addLayout(layout, { repository: 'library/quirks', tag: 'latest' });
    return async () => {
      await registry.close();
      await rm(layout, { recursive: true });
    };
  });

  test('with the same report, and with labels the original lost', async () => {
    const directory = await temporaryDirectory();
    const { host } = new URL(registry.origin);
    const { status, stdout, stderr } = await docker2aci(directory, `docker://${host}/library/quirks:latest`);
    expect([status, stdout]).toEqual([0, cleaned(await golden('quirks-v2s2-squash.stdout'))]);
    expect(stderr).toContain('Downloading sha256:b1dd88cdd8b 45 B / 45 B\n');
    const { manifest: ours } = await readAci(directory, 'library-quirks-latest.aci');
    const theirs: ImageManifest = JSON.parse(await golden('quirks-v2s2-squash.manifest.json'));
    expect(ours.name).toBe(theirs.name.replace('127.0.0.1_5501', host.replace(':', '_')));
    expect(byName(ours, 'labels')).toEqual(byName(theirs, 'labels'));
    expect(Object.keys(byName(ours, 'annotations'))).toEqual(
      expect.arrayContaining(
        Object.keys(byName(theirs, 'annotations')).filter((name) => !name.endsWith('originalname')),
      ),
    );
    expect(ours.app?.userLabels).toMatchObject({ maintainer: 'me' });
  });
});

test('every manifest the original wrote can be read', async () => {
  const files = (await readdir(path('.'))).filter((name) => /\.manifest(\.\d)?\.json$/.test(name));
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) expect(parseImageManifest(JSON.parse(await golden(file))).acVersion).toBe('0.8.10');
});
