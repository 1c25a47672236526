#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// In the package's own directory and not below /tmp, where another user could have put something to execute. Source
// needs none, and the executable has a code cache of its own.
if (import.meta.url.endsWith('.js')) {
  enableCompileCache(fileURLToPath(new URL('../.compile-cache', import.meta.url)));
}

// A reader that went away (`rkt list | head -1`) is no error of ours; any other failure is told.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`rkt: cannot write to standard output: ${error.code}\n`);
  process.exit(254);
});
// Nobody is left to tell, and what was to be done can still be.
process.stderr.on('error', () => undefined);

void run();

async function run(): Promise<void> {
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
  // A turn later, when a failure to write has been told of.
  setImmediate(endAtOnce);
}

/** Everything is done: nobody is to wait for heaps to be taken apart. Unless a reader is slow, which Node would not wait for. */
function endAtOnce(): void {
  if (process.stdout.writableLength + process.stderr.writableLength === 0) process.exit();
}
