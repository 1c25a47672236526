#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Beside the program and not below /tmp, where another user could have put something to execute. The executable has its
// own code cache, and no URL.
if (typeof import.meta.url === 'string') enableCompileCache(fileURLToPath(new URL('.compile-cache', import.meta.url)));

void run();

async function run(): Promise<void> {
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
}
