// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startTestRegistry } from '@rkt/registry/testing';
import { releasePods } from '../release-pods.ts';
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
  // Whatever was set up is undone, in reverse, also when the rest of the set-up or another undoing fails.
  await using undo = new AsyncDisposableStack();
  const registry = await startTestRegistry();
  undo.defer(() => registry.close());
  for (const { layout, repository } of layouts) await registry.addLayout(layout, { repository, tag: 'latest' });
  const scratch = mkdtempSync('/var/tmp/rkt-demo-');
  undo.defer(() => rmSync(scratch, { recursive: true, force: true }));
  for (const [dir, name] of [
    [dataDir, 'data'],
    [configDir, 'etc'],
  ] as const) {
    cover(dir, join(scratch, name), undo);
  }
  writeMirrorConfiguration(new URL(registry.origin).host);
  process.env['PATH'] = `${dirname(rktExecutable)}:${process.env['PATH']}`;
  undo.defer(() => releasePods('rkt', dataDir));
  await body({
    registryOrigin: registry.origin,
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
  });
}

/** Mounts an empty directory over `dir`, which is made for that when it is not there. */
function cover(dir: string, empty: string, undo: AsyncDisposableStack): void {
  mkdirSync(empty);
  if (!existsSync(dir)) {
    mkdirSync(dir);
    undo.defer(() => rmdirSync(dir));
  }
  execFileSync('mount', ['--bind', empty, dir]);
  undo.defer(() => {
    execFileSync('umount', [dir]);
  });
}

function writeMirrorConfiguration(host: string): void {
  const mirrored = (domain: string) => ({ domain, mirrors: [{ location: host, insecure: true }] });
  const registries = ['docker.io', 'quay.io'].map(mirrored);
  const document = { rktKind: 'registryMirrors', rktVersion: 'v1', registries };
  mkdirSync(join(configDir, 'registries.d'));
  writeFileSync(join(configDir, 'registries.d', 'demo.json'), `${JSON.stringify(document, null, 2)}\n`);
}
