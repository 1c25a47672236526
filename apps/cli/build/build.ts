// SPDX-License-Identifier: Apache-2.0
//
// build.ts [--arch=x64|arm64] [--output=DIRECTORY]
//
// Makes the executable: `rkt` in the output directory (dist) when it is for this machine, and in `release/` below it what is
// offered for download, for whichever machine.

import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeExecutable } from './executable.ts';
import { writeReleaseFiles } from './release-files.ts';
import { architectures, packageVersion, root, runOnTarget, targetFor } from './target.ts';

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: process.arch },
    output: { type: 'string', default: join(root, 'apps', 'cli', 'dist') },
  },
});
const arch = architectures.find((known) => known === values.arch);
if (arch === undefined) throw new Error(`--arch knows ${architectures.join(' and ')}, not ${values.arch}`);

const output = resolve(values.output);
mkdirSync(output, { recursive: true });
const work = mkdtempSync(join(output, '.sea-'));
try {
  const target = targetFor(arch);
  const version = packageVersion(join(root, 'apps', 'cli'));
  const files = await makeExecutable(target, work, version);
  const executable = join(work, 'rkt');
  const said = runOnTarget(target, executable, ['version'], work);
  if (!said.includes(`rkt Version: ${version}\n`)) throw new Error(`what was built says ${JSON.stringify(said)}`);
  writeReleaseFiles(join(output, 'release'), { target, executable, files, version });
  if (arch === process.arch) renameSync(executable, join(output, 'rkt'));
} finally {
  rmSync(work, { recursive: true, force: true });
}
