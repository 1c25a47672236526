// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { composeImage } from '@rkt/tooling-images';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../src/certificates.ts';
import { imageCache } from '../src/image-cache.ts';
import { executable } from '../src/rkt.ts';
import { runInBackground } from '../src/run-in-background.ts';

const guides = fileURLToPath(new URL('../../../docs/guides', import.meta.url));
/** The registry that the guides call their own. */
const NAME = 'registry.example.com';
const PORT = 5443;

let certificates: string;
let files: Certificates;
let hub: TestRegistry;
let redis: string;
let dir: string;

beforeAll(async () => {
  certificates = mkdtempSync(join(tmpdir(), 'rkt-e2e-guides-'));
  files = makeCertificates(certificates, NAME);
  hub = await startTestRegistry();
  redis = await composeImage('redis', imageCache);
  await hub.addLayout(redis, { repository: 'library/redis', tag: 'latest' });
});
afterAll(async () => {
  await hub.close();
  rmSync(certificates, { recursive: true });
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-e2e-guide-'));
});
afterEach(() => {
  const left = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout.split('\n');
  rmSync(dir, { recursive: true });
  expect(left.filter((args) => args.includes(dir))).toEqual([]);
});

/** The guides' own registry, which wants the password of the guide that tells of one. */
async function startOwnRegistry(guide: string): Promise<TestRegistry> {
  const [key, cert] = [files.server.key, files.server.cert].map((path) => readFileSync(path, 'utf8'));
  const registry = await startTestRegistry({
    port: PORT,
    ...(key === undefined || cert === undefined ? {} : { tls: { key, cert } }),
    ...(guide === 'private-registry.md' ? { auth: { kind: 'basic', username: 'team', password: 'secret' } } : {}),
  });
  await registry.addLayout(redis, { repository: 'library/redis', tag: 'latest' });
  return registry;
}

/** The commands of a guide, one after the other as its reader would type them. */
function commandsOf(guide: string): string {
  const text = readFileSync(join(guides, guide), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, commands = '']) => commands).join('\n');
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

/**
 * Runs commands where `/etc`, `/var/lib/rkt` and the home directory are those of a machine of the test's own, Docker Hub
 * is a registry on loopback, and the guides' own registry may be reached under its name. `set -e` does not see `! command`
 * that succeeds, so that is turned into one that fails.
 */
async function runGuide(commands: string): Promise<{ readonly status: number; readonly output: string }> {
  const hubConf = `[[registry]]\nprefix = "docker.io"\nlocation = "${hub.domain}"\ninsecure = true\n`;
  write('etc/containers/registries.conf', hubConf);
  write('etc/hosts', `127.0.0.1 localhost ${NAME}\n`);
  for (const name of ['bin', 'data', 'work', 'tmp', 'etc/rkt']) mkdirSync(join(dir, name), { recursive: true });
  copyFileSync(files.ca, join(dir, 'work/ca.pem'));
  write('bin/rkt', `#!/bin/sh\nexec '${executable}' "$@"\n`);
  spawnSync('chmod', ['755', join(dir, 'bin/rkt')]);
  write('guide.sh', commands.replace(/^! (.*)$/gm, 'if $1; then exit 99; fi'));
  const script = [
    'set -e',
    'mount -t overlay -o "lowerdir=$0/etc:/etc,upperdir=$0/upper,workdir=$0/overlay" overlay /etc',
    'mkdir -p /var/lib/rkt && mount --bind "$0/data" /var/lib/rkt',
    'cd "$0/work" && exec bash -euo pipefail -x "$0/guide.sh"',
  ].join('\n');
  for (const name of ['upper', 'overlay']) mkdirSync(join(dir, name));
  const env = {
    PATH: `${join(dir, 'bin')}:${process.env['PATH']}`,
    HOME: join(dir, 'work'),
    TMPDIR: join(dir, 'tmp'),
  };
  return await runInBackground('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, dir], env);
}

describe('every command of the guide', () => {
  const names = readdirSync(guides).filter((name) => commandsOf(name) !== '');

  it('is run', () => {
    expect(names.length).toBeGreaterThanOrEqual(7);
  });

  it.each(names)('%s does what it says', async (name) => {
    await using _ = await startOwnRegistry(name);
    const { status, output } = await runGuide(commandsOf(name));
    expect(status, output).toBe(0);
  });

  it.each([
    ['false\ntrue\n', 1],
    ['! true\n', 99],
    ['! false\n', 0],
    ['rkt list | grep nonsense\n', 1],
  ])('that does otherwise fails the test: %j', async (commands, expected) => {
    expect((await runGuide(commands)).status).toBe(expected);
  });
});
