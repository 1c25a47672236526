// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startTestRegistry } from '@rkt/registry/testing';
import { run } from '../command.ts';
import { rktExecutable } from '../repository.ts';

/** What of this machine the demo uses while it runs. */
export interface DemoHost {
  readonly registryOrigin: string;
  /** Someone is watching on a terminal. */
  readonly interactive: boolean;
}

export interface ServedLayout {
  readonly layout: string;
  readonly repository: string;
}

const dataDir = '/var/lib/rkt';
const configDir = '/etc/rkt';

/**
 * Serves the layouts, points docker.io and quay.io at them and puts the built `rkt` on the PATH. The directories rkt uses
 * by default are empty ones of the demo: this process runs in a mount namespace of its own, where they cover the machine's.
 */
export async function withDemoHost(
  layouts: readonly ServedLayout[],
  body: (host: DemoHost) => Promise<void>,
): Promise<void> {
  const registry = await startTestRegistry();
  for (const { layout, repository } of layouts) await registry.addLayout(layout, { repository, tag: 'latest' });
  const scratch = mkdtempSync('/var/tmp/rkt-demo-');
  const made = [cover(dataDir, join(scratch, 'data')), cover(configDir, join(scratch, 'etc'))].flat();
  writeMirrorConfiguration(new URL(registry.origin).host);
  process.env['PATH'] = `${dirname(rktExecutable)}:${process.env['PATH']}`;
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  try {
    await body({ registryOrigin: registry.origin, interactive });
  } finally {
    await run(['rkt', 'gc', '--grace-period=0s']);
    for (const dir of [configDir, dataDir]) execFileSync('umount', [dir]);
    for (const dir of made) rmdirSync(dir);
    rmSync(scratch, { recursive: true, force: true });
    await registry.close();
  }
}

/** Mounts an empty directory over `dir`; gives what had to be made for that, innermost first. */
function cover(dir: string, empty: string): readonly string[] {
  mkdirSync(empty);
  const made = existsSync(dir) ? [] : [dir];
  if (made.length > 0) mkdirSync(dir);
  execFileSync('mount', ['--bind', empty, dir]);
  return made;
}

function writeMirrorConfiguration(host: string): void {
  const mirrored = (domain: string) => ({ domain, mirrors: [{ location: host, insecure: true }] });
  const registries = ['docker.io', 'quay.io'].map(mirrored);
  const document = { rktKind: 'registryMirrors', rktVersion: 'v1', registries };
  mkdirSync(join(configDir, 'registries.d'));
  writeFileSync(join(configDir, 'registries.d', 'demo.json'), `${JSON.stringify(document, null, 2)}\n`);
}
