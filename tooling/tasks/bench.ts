// SPDX-License-Identifier: Apache-2.0
//
// npm run bench [-- --rounds=5 --images=tiny,redis]

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bench, markdown, svg } from '@rkt/tooling-bench';
import { buildAll } from './src/build-all.ts';
import { run } from './src/command.ts';
import { cacheDir, repositoryRoot, rktExecutable } from './src/repository.ts';
import { passOnSignals } from './src/signals.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    images: { type: 'string' },
    inside: { type: 'boolean', default: false },
  },
});

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
  const results = await bench({
    repository: repositoryRoot,
    cacheDir: join(cacheDir, 'bench'),
    executable: rktExecutable,
    rounds: Number(values.rounds),
    ...(values.images === undefined ? {} : { images: values.images.split(',') }),
    say: (text) => process.stderr.write(`bench: ${text}\n`),
  });
  const document = markdown(results);
  process.stdout.write(document);
  if (values.images !== undefined) return;
  writeFileSync(join(repositoryRoot, 'docs', 'performance.md'), document);
  writeFileSync(join(repositoryRoot, 'docs', 'performance.svg'), svg(results.cold));
}
