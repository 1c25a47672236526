// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { file, type LayerSource, writeLayout, writeTar } from '@rkt/tooling-images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparedHost } from '../src/compared-host.ts';
import { freePort } from '../src/docker-registry.ts';
import type { Finished } from '../src/rkt.ts';
import { smallDisk } from '../src/small-disk.ts';

const insecure = '--insecure-options=image';
let registry: TestRegistry;
let address: string;
let layouts: string;
const host = comparedHost();

beforeAll(async () => {
  registry = await startTestRegistry();
  address = new URL(registry.origin).host;
  layouts = mkdtempSync(join(tmpdir(), 'rkt-e2e-layouts-'));
  await serve('good', [await layer('etc/hello', 'hello\n')]);
});
afterAll(async () => {
  await registry.close();
  rmSync(layouts, { recursive: true, force: true });
});

async function layer(name: string, text: string): Promise<LayerSource> {
  return { tar: await writeTar([file(name, text)]), comment: name };
}

async function serve(name: string, layers: readonly LayerSource[], architecture?: string): Promise<void> {
  const dir = join(layouts, name);
  writeLayout(dir, {
    layers,
    config: { Cmd: ['/etc/hello'] },
    ...(architecture === undefined ? {} : { architecture }),
  });
  await registry.addLayout(dir, { repository: name, tag: 'latest' });
}

/** One line for the user, status 254, nothing on standard output, and a store without images, layers or leftovers. */
async function expectRefusal(finished: Finished, text: RegExp): Promise<void> {
  expect(finished).toMatchObject({ status: 254, stdout: '' });
  const said = finished.stderr.split('\n').filter((line) => line !== '' && !/^(rkt: |Downloading layer: )/.test(line));
  expect(said[0]).toMatch(text);
  expect(said.length).toBeLessThanOrEqual(2);
  expect(finished.stderr.replaceAll('\n', '')).not.toMatch(/[\x00-\x1f\x7f]/);
  expect((await host.rkt(['image', 'list', '--no-legend'])).stdout).toBe('');
  for (const dir of ['cas/tmp', 'cas/layers/sha256', 'cas/images'])
    expect(filesBelow(join(host.dataDir, dir))).toEqual([]);
}

function filesBelow(dir: string): readonly string[] {
  try {
    return readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

describe('a fetch that cannot be done', () => {
  it('without --insecure-options=image says which flag', async () => {
    await expectRefusal(await host.rkt(['fetch', `docker://${address}/good`]), /try --insecure-options=image/);
  });

  it('of a bad reference shows it', async () => {
    await expectRefusal(await host.rkt([insecure, 'fetch', 'docker://UPPER/Case']), /UPPER\/Case/);
  });

  it('from a registry that does not answer names it', async () => {
    const port = await freePort();
    await expectRefusal(
      await host.rkt([insecure, 'fetch', `docker://127.0.0.1:${port}/x`]),
      new RegExp(`127\\.0\\.0\\.1:${port}`),
    );
  });

  it('of a layer that is not a tar archive', async () => {
    await serve('not-a-tar', [{ tar: Buffer.from('<html>not found</html>'.repeat(100)), comment: 'html' }]);
    await expectRefusal(await host.rkt([insecure, 'fetch', `docker://${address}/not-a-tar`]), /tar/);
  });

  it('for no matching platform says which there are', async () => {
    await serve('riscv', [await layer('etc/hello', 'x')], 'riscv64');
    await expectRefusal(await host.rkt([insecure, 'fetch', `docker://${address}/riscv`]), /riscv64/);
  });

  it('on a full disk says so and leaves the store as it was', async () => {
    await serve('large', [await layer('large', 'x'.repeat(4 << 20))]);
    using _disk = smallDisk(host.dataDir, 2);
    const finished = await host.rkt([insecure, 'fetch', `docker://${address}/large`]);
    await expectRefusal(finished, /no space|full/i);
    expect((await host.rkt([insecure, 'fetch', `docker://${address}/good`])).status).toBe(0);
  });

  it('because of a configuration file names the file', async () => {
    host.configure('auth.d/broken.json', '{"rktKind": "dockerAuth", ');
    await expectRefusal(await host.rkt([insecure, 'fetch', `docker://${address}/good`]), /auth\.d\/broken\.json/);
  });
});

describe('an image that is not there', () => {
  it('by an unknown ID', async () => {
    await expectRefusal(await host.rkt(['run', 'sha512-0123456789']), /sha512-0123456789/);
  });

  it('by an ID that is too short', async () => {
    await expectRefusal(await host.rkt(['run', 'sha512-0']), /too short/);
  });

  it('by a policy that forbids asking', async () => {
    const asked = registry.requests.length;
    await expectRefusal(await host.rkt([insecure, 'fetch', '--pull-policy=never', `docker://${address}/good`]), /good/);
    expect(registry.requests).toHaveLength(asked);
  });
});

describe('a pod that cannot start', () => {
  it('names the executable that is missing', async () => {
    const run = await host.rkt([
      insecure,
      'run',
      '--net=none',
      `docker://${address}/good`,
      '--exec',
      '/no/such/program',
    ]);
    expect(run).toMatchObject({ status: 254, stdout: '' });
    expect(run.stderr).toContain('/no/such/program');
  });

  it('names the network that is not configured', async () => {
    const run = await host.rkt([insecure, 'run', '--net=nowhere', `docker://${address}/good`]);
    expect(run).toMatchObject({ status: 254, stdout: '' });
    expect(run.stderr).toContain('nowhere');
  });

  it('names the volume source that does not exist', async () => {
    const volume = '--volume=data,kind=host,source=/no/such/dir';
    const run = await host.rkt([
      insecure,
      'run',
      '--net=none',
      volume,
      '--mount=volume=data,target=/data',
      `docker://${address}/good`,
    ]);
    expect(run).toMatchObject({ status: 254, stdout: '' });
    expect(run.stderr).toContain('/no/such/dir');
  });

  it('says when a flag or a command does not exist, and what was meant', async () => {
    const flag = await host.rkt(['run', '--hostnam=x', 'docker://x']);
    expect(flag.status).toBe(254);
    expect(flag.stderr).toContain('--hostname');
    const command = await host.rkt(['fetsh', 'docker://x']);
    expect(command.status).toBe(254);
    expect(command.stderr).toContain('fetch');
  });

  it('of a pod ID that matches none', async () => {
    for (const verb of ['status', 'stop', 'enter', 'rm', 'cat-manifest']) {
      const finished = await host.rkt([verb, 'deadbeef']);
      expect(finished, verb).toMatchObject({ status: 254, stdout: '' });
      expect(finished.stderr, verb).toContain('deadbeef');
    }
  });
});
