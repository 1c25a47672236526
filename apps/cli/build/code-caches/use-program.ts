// SPDX-License-Identifier: Apache-2.0
//
// use-program.ts SCRIPT...: uses the program of the executable in the directory of its scripts, and writes for each `SCRIPT.cjs` a
// code cache, `SCRIPT.used`, with the functions that were called.
//
// A cache of a script that was only compiled has little but its outermost functions: all others would be compiled when they are
// called, which is a sixth of a small fetch. With all functions in it, reading it would take as long.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { startTestRegistry } from '@rkt/registry/testing';
import { createProgram } from './program.ts';
import { sampleImages } from './sample-image.ts';
import { asUsual } from './v8-options.ts';

const [, , ...names] = process.argv;
const SOMEBODY = 65_534;

const work = mkdtempSync('./use-');
// See `traceless`: the program must not call the collector either.
globalThis.gc = async () => undefined;
// Whether it waits for something depends on the machine.
const { setTimeout: wait } = globalThis;
globalThis.setTimeout = Object.assign(
  (run: (...args: unknown[]) => void, milliseconds = 0, ...args: unknown[]) =>
    milliseconds < 100 ? wait(run, milliseconds, ...args) : wait(() => undefined, 0),
  wait,
) as typeof setTimeout;
// Root opens a store in another way than others do.
const uid = process.geteuid?.() ?? 0;
process.geteuid = () => (uid === 0 ? SOMEBODY : uid);
process.umask(0o077);
const program = createProgram();
try {
  await using registry = await startTestRegistry();
  const { large, derived } = sampleImages();
  const { layers } = await registry.putImage({ repository: 'large', tag: 'latest' }, large);
  // In pieces, so that whoever reads it has to wait for the next one, too.
  registry.fail({ action: { kind: 'drip', chunkBytes: 512 * 1024, everyMs: 20 }, path: layers[0]?.digest ?? '/' });
  await registry.putImage({ repository: 'derived', tag: 'latest' }, derived);
  writeFileSync(`${work}/registries.conf`, '');
  // Nothing of the machine the build runs on: neither its configuration nor who builds.
  process.env = { CONTAINERS_REGISTRIES_CONF: `${work}/registries.conf` };
  const directories = ['dir', 'local-config', 'system-config', 'user-config'];
  for (const name of directories) mkdirSync(`${work}/${name}`);
  const globals = directories.map((name) => `--${name}=${work}/${name}`);
  const fetch = (name: string) => ['--insecure-options=image', 'fetch', `docker://${registry.domain}/${name}`];
  const used = [
    ['version'],
    fetch('large'),
    fetch('derived'),
    fetch('derived'),
    ['image', 'list'],
    ['image', 'verify', `docker://${registry.domain}/derived`],
    ['list'],
  ];
  for (const words of used) await program.run([...globals, ...words]);
} finally {
  rmSync(work, { recursive: true });
}
for (const option of asUsual) setFlagsFromString(option);
for (const name of names) writeFileSync(`${name}.used`, program.codeCache(name));
// The program's listeners would keep this process.
process.exit();
