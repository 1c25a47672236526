// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { composeImage } from '@rkt/tooling-images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparedHost } from '../src/compared-host.ts';
import { type DockerRegistry, startDockerRegistry } from '../src/docker-registry.ts';
import { imageCache } from '../src/image-cache.ts';

const insecure = '--insecure-options=image';
let registry: DockerRegistry;
const host = comparedHost();

beforeAll(async () => {
  registry = await startDockerRegistry();
  await registry.push(await composeImage('redis', imageCache), 'team/redis', '7');
});
afterAll(() => registry[Symbol.asyncDispose]());

describe('against Debian’s docker-registry', () => {
  it('fetches by tag and by digest to the same image, and runs it', async () => {
    const byTag = await host.rkt([insecure, 'fetch', '--full', `docker://${registry.host}/team/redis:7`]);
    expect(byTag).toMatchObject({ status: 0 });
    const head = await fetch(`http://${registry.host}/v2/team/redis/manifests/7`, {
      method: 'HEAD',
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    const digest = head.headers.get('docker-content-digest');
    const byDigest = await host.rkt([insecure, 'fetch', '--full', `docker://${registry.host}/team/redis@${digest}`]);
    expect(byDigest.stdout).toBe(byTag.stdout);
    const run = await host.rkt([
      'run',
      '--net=none',
      byTag.stdout.trim(),
      '--exec',
      '/usr/bin/redis-server',
      '--',
      '--version',
    ]);
    expect(run).toMatchObject({ status: 0 });
    expect(run.stdout).toMatch(/^Redis server v=\d/);
  });

  it('says what was not found and where', async () => {
    const tag = await host.rkt([insecure, 'fetch', `docker://${registry.host}/team/redis:no-such-tag`]);
    expect(tag).toMatchObject({ status: 254, stdout: '' });
    expect(tag.stderr).toContain('no-such-tag');
    const repository = await host.rkt([insecure, 'fetch', `docker://${registry.host}/no/such-image`]);
    expect(repository).toMatchObject({ status: 254, stdout: '' });
    expect(repository.stderr).toContain('no/such-image');
    expect(existsSync(`${host.dataDir}/cas/tmp`) ? (await host.rkt(['image', 'list', '--no-legend'])).stdout : '').toBe(
      '',
    );
  });
});
