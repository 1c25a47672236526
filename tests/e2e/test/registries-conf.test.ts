// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparedHost } from '../src/compared-host.ts';
import { type ConfiguredRegistry, startConfiguredRegistry, storeSmallImage } from '../src/configured-registry.ts';
import { freePort } from '../src/docker-registry.ts';
import { REGISTRY_NAME, rktWithNames, writeEtc } from '../src/named-host.ts';
import { mirrors } from '../src/rkt.ts';

let dir: string;
let registry: ConfiguredRegistry;
/** A name of this machine under which nothing answers. */
let silent: string;
const host = comparedHost();

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-e2e-registries-'));
  await storeSmallImage(dir, 'team/app', '1');
  registry = await startConfiguredRegistry({ dir });
  silent = `127.0.0.1:${await freePort()}`;
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

const fetch = (image: string) => rktWithNames(host, ['--insecure-options=image', 'fetch', `docker://${image}`]);
const fetched = { status: 0, stdout: expect.stringMatching(/^sha512-[0-9a-f]{32}\n$/) };
const configure = (text: string): void => writeEtc(host, 'containers/registries.conf', text);

async function digestOfImage(): Promise<string> {
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  const url = `http://${registry.host}/v2/team/app/manifests/1`;
  const response = await globalThis.fetch(url, { method: 'HEAD', headers: { accept } });
  return response.headers.get('docker-content-digest') ?? '';
}

describe('/etc/containers/registries.conf', () => {
  it('names a mirror, whose failure the registry itself makes good', async () => {
    configure(`[[registry]]\nlocation = "${silent}"\n[[registry.mirror]]\nlocation = "${registry.host}"\n`);
    expect(await fetch(`${silent}/team/app:1`)).toMatchObject(fetched);
    configure(`[[registry]]\nlocation = "${registry.host}"\n[[registry.mirror]]\nlocation = "${silent}"\n`);
    expect(await fetch(`${registry.host}/team/app:1`)).toMatchObject(fetched);
  });

  it('asks a mirror for digests alone where it says so', async () => {
    const only = 'mirror-by-digest-only = true';
    configure(`[[registry]]\nlocation = "${silent}"\n${only}\n[[registry.mirror]]\nlocation = "${registry.host}"\n`);
    const byTag = await fetch(`${silent}/team/app:1`);
    expect(byTag).toMatchObject({ status: 254, stdout: '' });
    expect(byTag.stderr).toContain(silent);
    expect(await fetch(`${silent}/team/app@${await digestOfImage()}`)).toMatchObject(fetched);
  });

  it('puts a location in the place of the longest prefix', async () => {
    const wrong = `[[registry]]\nprefix = "old.example"\nlocation = "${silent}"\n`;
    configure(`${wrong}[[registry]]\nprefix = "old.example/apps"\nlocation = "${registry.host}/team"\n`);
    expect(await fetch('old.example/apps/app:1')).toMatchObject(fetched);
    const shown = await rktWithNames(host, ['image', 'list', '--no-legend', '--fields=name']);
    expect(shown.stdout).toBe('old.example/apps/app:1\n');
  });

  it('blocks a registry: nothing is fetched, and the line says why', async () => {
    configure(`[[registry]]\nlocation = "${registry.host}"\nblocked = true\n`);
    const failed = await fetch(`${registry.host}/team/app:1`);
    expect(failed).toMatchObject({ status: 254, stdout: '' });
    expect(failed.stderr).toContain(`fetch: "${registry.host}/team/app" is blocked by containers' registries.conf\n`);
    expect((await rktWithNames(host, ['image', 'list', '--no-legend'])).stdout).toBe('');
  });

  it('allows plain HTTP for a registry that it calls insecure, and for no other', async () => {
    const name = `${REGISTRY_NAME}:${registry.port}`;
    expect(await fetch(`${name}/team/app:1`)).toMatchObject({ status: 254, stdout: '' });
    configure(`[[registry]]\nprefix = "${name}/other"\nlocation = "${name}/other"\ninsecure = true\n`);
    expect(await fetch(`${name}/team/app:1`)).toMatchObject({ status: 254, stdout: '' });
    configure(`[[registry]]\nlocation = "${name}"\ninsecure = true\n`);
    expect(await fetch(`${name}/team/app:1`)).toMatchObject(fetched);
  });

  it('is overridden by its drop-ins, and they by registries.d of rkt', async () => {
    const rule = `[[registry]]\nprefix = "r.example"\nlocation = "${registry.host}"\n`;
    configure(rule);
    writeEtc(host, 'containers/registries.conf.d/zz-rkt-e2e.conf', `${rule}blocked = true\n`);
    expect((await fetch('r.example/team/app:1')).stderr).toContain('is blocked');
    host.configure('registries.d/mirror.json', mirrors(['r.example'], registry.host));
    expect(await fetch('r.example/team/app:1')).toMatchObject(fetched);
  });

  it('that is wrong is told by name, by rkt config too', async () => {
    configure('[[registry]]\nlocation = "https://r.example"\n');
    for (const failed of [await fetch('r.example/app'), await rktWithNames(host, ['config'])]) {
      expect(failed).toMatchObject({ status: 254, stdout: '' });
      expect(failed.stderr).toContain('"/etc/containers/registries.conf": registry[0].location must be');
    }
  });
});
