// SPDX-License-Identifier: Apache-2.0
//
// npm run boundaries            fails when an import breaks the rules or the picture in ARCHITECTURE.md is stale
// npm run boundaries -- --write redraws the picture

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { violations } from './check.ts';
import { testViolations } from './check-tests.ts';
import { importsBelow } from './imports.ts';
import { packageDirs } from './package-dirs.ts';
import { withPicture } from './picture.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const architecture = join(root, 'ARCHITECTURE.md');

const found = packageDirs(root).flatMap((dir) => {
  const { sites, hidden } = importsBelow(root, `${dir}/src`);
  return [...violations(dir, sites), ...hidden, ...testViolations(dir, importsBelow(root, `${dir}/test`).sites)];
});
const document = readFileSync(architecture, 'utf8');
const drawn = withPicture(document);
if (process.argv.includes('--write')) writeFileSync(architecture, drawn);
else if (drawn !== document)
  found.push('ARCHITECTURE.md: the dependency graph is stale; run npm run boundaries -- --write');

for (const line of found) console.error(line);
if (found.length > 0) process.exitCode = 1;
else console.error('boundaries: every import keeps the rules');
