// SPDX-License-Identifier: Apache-2.0
//
// npm run bench [-- --rounds=5 --images=tiny,redis --only=registry|pods]

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type BenchOptions,
  bench,
  benchClient,
  benchPods,
  markdown,
  svg,
  withClientSection,
  withPodSection,
} from '@rkt/tooling-bench';
import { buildAll } from './src/build-all.ts';
import { run } from './src/command.ts';
import { cacheDir, repositoryRoot, rktExecutable } from './src/repository.ts';
import { passOnSignals } from './src/signals.ts';

const documentFile = join(repositoryRoot, 'docs', 'performance.md');

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    images: { type: 'string' },
    only: { type: 'string' },
    inside: { type: 'boolean', default: false },
  },
});

if (values.only !== undefined && !['registry', 'pods'].includes(values.only)) {
  throw new Error(`--only knows "registry" and "pods", not ${JSON.stringify(values.only)}`);
}

// Inside, measured commands block this process: a signal ends it there, and its daemons and mounts with it.
if (values.inside) {
  await measureAndWrite();
} else {
  passOnSignals();
  await enterMountNamespace();
}

/** The arena's mounts and the tools' own stay out of the host's mount table. */
async function enterMountNamespace(): Promise<void> {
  await buildAll();
  const node = [process.execPath, ...process.execArgv, import.meta.filename];
  await run(['unshare', '--mount', '--propagation', 'private', ...node, '--inside', ...process.argv.slice(2)]);
}

async function measureAndWrite(): Promise<void> {
  // No tool shall profit from a cache of this repository, nor have to fill it.
  delete process.env['NODE_COMPILE_CACHE'];
  const options: BenchOptions = {
    repository: repositoryRoot,
    cacheDir: join(cacheDir, 'bench'),
    executable: rktExecutable,
    rounds: Number(values.rounds),
    ...(values.images === undefined ? {} : { images: values.images.split(',') }),
    say: (text) => process.stderr.write(`bench: ${text}\n`),
  };
  if (values.only === 'registry') await measureRegistryClient(options);
  else if (values.only === 'pods') await measurePods(options);
  else await measureEverything(options);
}

async function measureEverything(options: BenchOptions): Promise<void> {
  const results = await bench(options);
  const document = markdown(results);
  process.stdout.write(document);
  if (options.images !== undefined) return;
  writeFileSync(documentFile, document);
  writeFileSync(join(repositoryRoot, 'docs', 'performance.svg'), svg(results.cold));
}

/** Its section of the document and nothing else of it. */
async function measureRegistryClient(options: BenchOptions): Promise<void> {
  const rows = await benchClient(options);
  const document = withClientSection(readFileSync(documentFile, 'utf8'), rows, options.rounds);
  process.stdout.write(document);
  if (options.images === undefined) writeFileSync(documentFile, document);
}

/** The same of the pods'. */
async function measurePods(options: BenchOptions): Promise<void> {
  const rows = await benchPods(options);
  const document = withPodSection(readFileSync(documentFile, 'utf8'), rows, options.rounds);
  process.stdout.write(document);
  writeFileSync(documentFile, document);
}
