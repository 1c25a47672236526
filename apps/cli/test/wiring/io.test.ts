// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

const program = `
  import { processIo } from ${JSON.stringify(new URL('../../src/wiring/io.ts', import.meta.url))};
  process.stderr.on('error', () => undefined);
  await new Promise((resolve) => process.stdin.resume().once('end', resolve));
  void write(processIo());
  async function write(io) {
    for (let round = 0; round < 20; round++) await io.writeChunk(Buffer.alloc(SIZE), 'stderr');
    await io.writeChunk(Buffer.from('the rest'), 'stdout');
    process.exitCode = 7;
  }
`;

it.each([[10], [200_000]])('chunks of %i bytes that nobody reads keep nothing else from being done', async (size) => {
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval'];
  const child = spawn(process.execPath, [...args, program.replace('SIZE', String(size))], { stdio: 'pipe' });
  child.stderr.destroy();
  await once(child.stderr, 'close');
  child.stdin.end();
  const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect([output, status]).toEqual(['the rest', 7]);
});
