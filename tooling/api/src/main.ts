// SPDX-License-Identifier: Apache-2.0
//
// npm run api            fails when a package's public API is not what its etc/*.api.md says
// npm run api -- --write writes the reports
//
// Both read what `tsc -b` has compiled.

import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiEntries } from './entries.ts';
import { isCurrent, reportFile, writeReport } from './report.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const entries = apiEntries(root);

if (process.argv.includes('--write')) {
  for (const entry of entries) writeReport(entry);
} else {
  const stale = entries.filter((entry) => !isCurrent(entry));
  for (const entry of stale) {
    console.error(
      `${relative(root, reportFile(entry))}: the public API has changed; if that is meant, npm run api -- --write`,
    );
  }
  if (stale.length > 0) process.exitCode = 1;
  else console.error(`api: ${entries.length} reports are current`);
}
