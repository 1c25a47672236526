// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import {
  type ContainerSection,
  composeImage,
  downloadClosure,
  type ImageRecipe,
  writeLayout,
} from '@rkt/tooling-images';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { comparedHost } from '../src/compared-host.ts';
import { eventually } from '../src/eventually.ts';
import { settledHostState } from '../src/host-state.ts';
import { imageCache } from '../src/image-cache.ts';
import { layoutFiles } from '../src/layout-files.ts';
import { mirrors } from '../src/rkt.ts';

const insecure = '--insecure-options=image';
let registry: TestRegistry;
let layouts: string;
let layers: ImageRecipe['layers'];
const host = comparedHost(settledHostState);

beforeAll(async () => {
  registry = await startTestRegistry();
  layouts = mkdtempSync(join(tmpdir(), 'rkt-e2e-layouts-'));
  const redis = layoutFiles(await composeImage('redis', imageCache));
  layers = redis.layers.map((path) => ({ tar: gunzipSync(readFileSync(path)), comment: '', compression: 'none' }));
});
afterAll(async () => {
  await registry.close();
  rmSync(layouts, { recursive: true, force: true });
});
beforeEach(() => {
  host.configure('registries.d/mirrors.json', mirrors(['docker.io'], new URL(registry.origin).host));
});

/** Debian with redis, and another configuration. */
async function serve(name: string, config: ContainerSection): Promise<string> {
  const dir = join(layouts, name);
  writeLayout(dir, { layers, config });
  await registry.addLayout(dir, { repository: `library/${name}`, tag: 'latest' });
  return `docker://${name}`;
}

const Env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'GREETING=hello'];

describe('an image with USER, WORKDIR, STOPSIGNAL and HEALTHCHECK', () => {
  const config = {
    Env,
    User: 'redis',
    WorkingDir: '/srv/work',
    Entrypoint: ['/bin/sh', '-c'],
    Cmd: ['id -u; id -g; id -G; pwd; echo $GREETING $HOME'],
    StopSignal: 'SIGUSR1',
    Healthcheck: { Test: ['CMD', '/bin/false'], Interval: 1_000_000_000 },
  };

  it('runs as that user, in that directory, and its check keeps nobody from running it', async () => {
    const image = await serve('declared', config);
    const run = await host.rkt([insecure, 'run', '--net=none', image]);
    expect(run).toMatchObject({ status: 0, stdout: '999\n999\n999\n/srv/work\nhello /data\n' });
    const replaced = await host.rkt([insecure, 'run', '--net=none', image, '--', 'id -un; exit 6']);
    expect(replaced).toMatchObject({ status: 6, stdout: 'redis\n' });
    const manifest = JSON.parse((await host.rkt(['image', 'cat-manifest', 'declared'])).stdout);
    const annotations = new Map(
      manifest.annotations.map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
    expect(annotations.get('appc.io/docker/stopsignal')).toBe('SIGUSR1');
    expect(annotations.get('appc.io/docker/healthcheck')).toContain('/bin/false');
  });

  it('is stopped by its signal', async () => {
    const script = 'trap "echo asked; exit 5" USR1; echo ready; while :; do sleep 0.1; done';
    const image = await serve('stopped', { ...config, Cmd: [script] });
    const run = host.start([insecure, 'run', '--net=none', image]);
    await eventually(() => run.output.stdout.includes('ready') || undefined);
    const [{ name = '' } = {}]: readonly { name?: string }[] = JSON.parse(
      (await host.rkt(['list', '--format=json'])).stdout,
    );
    expect((await host.rkt(['stop', name])).status).toBe(0);
    expect((await run.finished).status).toBe(5);
    expect(run.output.stdout).toBe('ready\nasked\n');
  });
});

describe('a Debian image', () => {
  it('has packages unpacked over its own files, as apt does', async () => {
    const image = await serve('debian', { Env, Cmd: ['/bin/bash'] });
    const packages = join(imageCache, 'packages');
    downloadClosure(['sed', 'zlib1g'], packages);
    const [sed, zlib] = ['sed_', 'zlib1g_'].map((name) => readdirSync(packages).find((file) => file.startsWith(name)));
    const script = [
      'set -e',
      'mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates && touch /var/lib/dpkg/status /var/lib/dpkg/available',
      // Twice: over what the layers of the image have, and over what was written the first time.
      `for round in 1 2; do dpkg --force-all --install /debs/${sed} /debs/${zlib} >/dev/null; done`,
      'dpkg --verify sed zlib1g',
      'echo a | sed s/a/b/',
      'dpkg --force-all --remove sed >/dev/null && test ! -e /bin/sed',
      'mv /usr/share/base-files /usr/share/moved && ls -d /usr/share/moved && rm -r /usr/share/moved',
    ].join('\n');
    const volume = [
      '--volume',
      `debs,kind=host,source=${packages},readOnly=true`,
      '--mount',
      'volume=debs,target=/debs',
    ];
    const flags = ['--exec=/bin/bash', '--', '-c', script];
    const run = await host.rkt([insecure, 'run', '--net=none', ...volume, image, ...flags]);
    expect(run, run.stderr).toMatchObject({ status: 0, stdout: 'b\n/usr/share/moved\n' });
    const again = await host.rkt(['run', '--net=none', image, '--exec=/bin/sed', '--', '--version']);
    expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining('GNU sed') });
  });
});
