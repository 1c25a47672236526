// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { composeImage, writeLayout } from '@rkt/tooling-images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildahDifferences, surveyedByBuildah } from '../src/buildah.ts';
import { writeHardImage } from '../src/hard-image.ts';
import { imageCache } from '../src/image-cache.ts';
import { type Finished, type Installation, installation } from '../src/rkt.ts';
import type { Survey, Surveyed } from '../src/survey.ts';
import { type Difference, umociDifferences } from '../src/umoci-differences.ts';

/** The way of an image to a layout directory below `scratch`, whose tag is `latest`. */
type Source = (scratch: string) => Promise<string>;

/** Images somebody put beside the repository, which are no part of it. */
const shared = fileURLToPath(new URL('../../../../shared/images', import.meta.url));
/** Further OCI layouts, for comparisons by hand: `RKT_TEST_LAYOUTS=DIR:DIR npm run trees`. */
const further = (process.env['RKT_TEST_LAYOUTS'] ?? '').split(':').filter((path) => path !== '');

/** A program to compare with by hand: `RKT_TEST_BUILDAH=PROGRAM npm run trees`. */
const buildah = process.env['RKT_TEST_BUILDAH'] ?? '';

/** One image of packages is enough for every change; `npm run trees` compares all. */
const images: readonly (readonly [name: string, source: Source])[] = [
  ['hard', hardImage],
  ['redis', () => composeImage('redis', imageCache)],
  ...(process.env['RKT_TEST_TREES'] === 'all' ? ([['nginx', () => composeImage('nginx', imageCache)]] as const) : []),
  ...(existsSync(shared)
    ? ([
        ['busybox', busybox],
        ['alpine', alpine],
      ] as const)
    : []),
  ...further.map((path) => [basename(path), async () => path] as const),
];

async function hardImage(scratch: string): Promise<string> {
  await writeHardImage(join(scratch, 'layout'), scratch);
  return join(scratch, 'layout');
}

/** A layout without a tag, under which umoci would find it. */
async function busybox(scratch: string): Promise<string> {
  const layout = join(scratch, 'layout');
  execFileSync('cp', ['-r', join(shared, 'busybox'), layout]);
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  index.manifests[0].annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
  return layout;
}

async function alpine(scratch: string): Promise<string> {
  const [name = ''] = readdirSync(join(shared, 'alpine')).filter((each) => each.endsWith('.tar.gz'));
  const tar = gunzipSync(readFileSync(join(shared, 'alpine', name)));
  writeLayout(join(scratch, 'layout'), { layers: [{ tar, comment: 'alpine' }], config: { Cmd: ['/bin/sh'] } });
  return join(scratch, 'layout');
}

describe.each(images)('the image %s', (name, source) => {
  let scratch: string;
  let host: Installation;
  let layout: string;
  let id: string;

  beforeAll(async () => {
    host = installation();
    scratch = mkdtempSync(join(tmpdir(), 'rkt-e2e-trees-'));
    layout = await source(scratch);
    id = await fetched(host, `oci:${layout}:latest`);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('has the same ID when it comes back from any form it is exported to', async () => {
    for (const output of [`oci:${scratch}/oci:x`, `docker-archive:${scratch}/x.tar`, `${scratch}/x.aci`]) {
      succeeded(await host.rkt(['image', 'export', id, output]));
      const other = installation();
      try {
        expect(await fetched(other, output), output).toBe(id);
        succeeded(await other.rkt(['image', 'verify']));
      } finally {
        await other[Symbol.asyncDispose]();
      }
    }
  });

  it('is the same tree mounted, extracted, and unpacked by umoci, but for what that is known to do', async () => {
    const mounted = await mountedTree(host, id, join(scratch, 'mount'));
    expect(Object.keys(mounted).length).toBeGreaterThan(1);
    succeeded(await host.rkt(['image', 'extract', '--rootfs-only', id, join(scratch, 'extracted')]));
    expect(differences(mounted, surveyed([join(scratch, 'extracted')]))).toEqual([]);
    expectLittleMoreThanLayers(host.dataDir, await layersOf(host, id), Object.keys(mounted).length);
    const bundle = join(scratch, 'bundle');
    execFileSync('umoci', ['unpack', '--image', `${layout}:latest`, bundle], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const unpacked = surveyed([join(bundle, 'rootfs')]);
    const found = differences(mounted, unpacked);
    const known = Object.values(umociDifferences);
    expect(found.filter((difference) => !known.some((is) => is(difference)))).toEqual([]);
    // What is written of umoci is still so.
    if (name === 'hard') for (const is of known) expect(found.filter(is), is.name).not.toEqual([]);
  });

  it.runIf(buildah !== '' && name !== 'hard')(
    'is the same tree that buildah mounts, but for what that does',
    async () => {
      const mounted = await mountedTree(host, id, join(scratch, 'mount-for-buildah'));
      const found = differences(mounted, surveyedByBuildah({ buildah, layout, scratch }));
      const known = Object.values(buildahDifferences);
      expect(found.filter((difference) => !known.some((is) => is(difference)))).toEqual([]);
    },
  );

  it.runIf(buildah !== '' && name === 'hard')('has no tree with buildah, which gives up at a hard link', () => {
    expect(() => surveyedByBuildah({ buildah, layout, scratch })).toThrow('no such file or directory');
  });
});

async function fetched(host: Installation, image: string): Promise<string> {
  return succeeded(await host.rkt(['--insecure-options=image', 'fetch', '--full', '--quiet', image])).stdout.trim();
}

function succeeded(finished: Finished): Finished {
  expect(finished.status, finished.stderr).toBe(0);
  return finished;
}

/** What a pod would be given, mounted in a namespace that goes with the program that looks at it. */
async function mountedTree(host: Installation, id: string, at: string): Promise<Survey> {
  succeeded(await host.rkt(['prepare', '--quiet', id, '--exec=/none']));
  const layers = await layersOf(host, id);
  const cas = join(host.dataDir, 'cas');
  const devices = layers.map(({ diff_id }) => {
    const hex = diff_id.slice('sha256:'.length);
    return join(cas, 'layers/sha256', hex.slice(0, 2), `${hex}.tar`);
  });
  mkdirSync(at);
  return surveyed([at, join(cas, 'trees', `${id}.erofs`), ...devices]);
}

interface Layer {
  readonly diff_id: string;
  readonly size: number;
}

async function layersOf(host: Installation, id: string): Promise<readonly Layer[]> {
  return JSON.parse(succeeded(await host.rkt(['image', 'inspect', id])).stdout)[0].layers;
}

/** Indexes and trees take 170 bytes for an entry; manifest, configuration and database of a small image may be more than it is. */
function expectLittleMoreThanLayers(dataDir: string, layers: readonly Layer[], entries: number): void {
  const bytes = layers.reduce((sum, { size }) => sum + size, 0);
  if (bytes < 50_000_000) return;
  const taken = execFileSync('du', ['--summarize', '--bytes', join(dataDir, 'cas')], { encoding: 'utf8' });
  expect(Number(taken.split('\t')[0])).toBeLessThan(bytes * 1.005 + entries * 200);
}

function surveyed(args: readonly string[]): Survey {
  const program = fileURLToPath(new URL('../src/survey.ts', import.meta.url));
  const command = ['--mount', '--propagation', 'private', process.execPath, '--no-warnings', program, ...args];
  return JSON.parse(execFileSync('unshare', command, { encoding: 'utf8', maxBuffer: 1024 ** 3 }));
}

/** Every field of every entry that two trees do not have in common. */
function differences(one: Survey, other: Survey): readonly Difference[] {
  const paths = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
  return paths.flatMap((path): readonly Difference[] => {
    const [ours, theirs] = [one[path], other[path]];
    if (ours === undefined || theirs === undefined) return [{ path, field: 'entry' as const, ours, theirs }];
    const fields = new Set([...Object.keys(ours), ...Object.keys(theirs)]) as ReadonlySet<keyof Surveyed>;
    return [...fields]
      .filter((field) => JSON.stringify(ours[field]) !== JSON.stringify(theirs[field]))
      .map((field) => ({ path, field, ours: ours[field], theirs: theirs[field] }));
  });
}
