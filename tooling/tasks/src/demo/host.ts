// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
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
const configFile = '/etc/rkt/registries.d/rkt-demo.json';

/**
 * Serves the layouts, points docker.io and quay.io at them and puts the built `rkt` on the PATH; afterwards takes all of
 * it back, the data directory included if there was none before.
 */
export async function withDemoHost(
  layouts: readonly ServedLayout[],
  body: (host: DemoHost) => Promise<void>,
): Promise<void> {
  const hadDataDir = existsSync(dataDir);
  const registry = await startTestRegistry();
  for (const { layout, repository } of layouts) await registry.addLayout(layout, { repository, tag: 'latest' });
  const madeDirs = writeMirrorConfiguration(new URL(registry.origin).host);
  process.env['PATH'] = `${dirname(rktExecutable)}:${process.env['PATH']}`;
  const ignoreInterrupt = () => {};
  process.on('SIGINT', ignoreInterrupt);
  try {
    await body({
      registryOrigin: registry.origin,
      interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    });
  } finally {
    await run(['rkt', 'gc', '--grace-period=0s']);
    if (!hadDataDir) rmSync(dataDir, { recursive: true, force: true });
    rmSync(configFile, { force: true });
    for (const dir of madeDirs) rmdirSync(dir);
    await registry.close();
    process.off('SIGINT', ignoreInterrupt);
  }
}

/** Gives the directories it had to make, innermost first. */
function writeMirrorConfiguration(host: string): readonly string[] {
  const dirs = [join(configFile, '..'), join(configFile, '../..')].filter((dir) => !existsSync(dir));
  mkdirSync(dirname(configFile), { recursive: true });
  const mirrored = (domain: string) => ({ domain, mirrors: [{ location: host, insecure: true }] });
  const document = {
    rktKind: 'registryMirrors',
    rktVersion: 'v1',
    registries: [mirrored('docker.io'), mirrored('quay.io')],
  };
  writeFileSync(configFile, `${JSON.stringify(document, null, 2)}\n`);
  return dirs;
}
