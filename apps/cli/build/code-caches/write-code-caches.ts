// SPDX-License-Identifier: Apache-2.0
//
// write-code-caches.ts SCRIPT...: makes `SCRIPT.cache` of `SCRIPT.used`. V8 numbers functions as it comes across them, those of Node
// that something happened to call among them, and the numbers are in the caches. A process that does nothing but read them
// numbers their functions anew, and the same every time.

import { readFileSync, writeFileSync } from 'node:fs';
import { Script } from 'node:vm';

for (const name of process.argv.slice(2)) {
  const cachedData = readFileSync(`${name}.used`);
  const script = new Script(readFileSync(`${name}.cjs`, 'latin1'), { filename: `${name}.cjs`, cachedData });
  // As the executable would, and nobody would notice but by the time it takes to start.
  if (script.cachedDataRejected) throw new Error(`V8 does not take its own code cache of ${name}.cjs`);
  writeFileSync(`${name}.cache`, script.createCachedData());
}
