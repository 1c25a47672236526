// SPDX-License-Identifier: Apache-2.0
//
// Records fetch and run of the built executable on a terminal, against the registry of the demo on loopback, and writes it to
// docs/recording.svg, which the README shows.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeImage } from '@rkt/tooling-images';
import { buildAll } from './src/build-all.ts';
import { run } from './src/command.ts';
import { withDemoHost } from './src/demo/host.ts';
import { createTerminalRecorder } from './src/recording/terminal-recorder.ts';
import { terminalSvg } from './src/recording/terminal-svg.ts';
import { cacheDir, repositoryRoot } from './src/repository.ts';
import { passOnSignals } from './src/signals.ts';

const size = { columns: 100, rows: 26 };

passOnSignals();
if (process.argv.includes('--inside')) {
  await record();
} else {
  await buildAll();
  const node = [process.execPath, ...process.execArgv, import.meta.filename, '--inside'];
  await run(['unshare', '--mount', '--propagation', 'private', ...node]);
}

async function record(): Promise<void> {
  const layout = await composeImage('redis', join(cacheDir, 'images'));
  const recorder = createTerminalRecorder(size);
  await withDemoHost([{ layout, repository: 'library/redis' }], async () => {
    await recorder.run(['rkt', '--insecure-options=image', 'fetch', 'docker://redis']);
    const typing = { after: 'Ready to accept connections', keys: '\u0003' };
    await recorder.run(['rkt', 'run', '--rm', 'docker://redis'], { typing });
    await recorder.run(['rkt', 'list']);
  });
  const title = 'rkt fetches an image, layer by layer, runs it until Ctrl-C, and nothing of it is left';
  const svg = terminalSvg({ ...size, frames: recorder.frames(), holdMs: 4_000, title });
  writeFileSync(join(repositoryRoot, 'docs', 'recording.svg'), svg);
  process.stderr.write(`record: docs/recording.svg: ${svg.length} bytes, ${recorder.frames().length} frames\n`);
}
