// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** A module with one function, `spin`, which counts its argument down to nothing. */
const spinning = [
  ['00 61 73 6d 01 00 00 00', '01 05 01 60 01 7f 00', '03 02 01 00', '07 08 01 04 73 70 69 6e 00 00'],
  ['0a 10 01 0e 00', '03 40 20 00 41 01 6b 22 00 0d 00 0b', '0b'],
]
  .flat()
  .join('')
  .replaceAll(' ', '');

const source = new URL('../../src/wiring/wasm-tier-up.ts', import.meta.url).href;
const postponing = `(await import('${source}')).postponeWasmTierUp();`;
const making = `const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from('${spinning}', 'hex')));`;

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'rkt-wasm-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

const commandLine = (program: string): readonly string[] => ['--no-warnings', '--input-type=module', '--eval', program];

function outputOf(program: string): string {
  return execFileSync(process.execPath, commandLine(program), { encoding: 'utf8' });
}

it('knows the budget V8 has when nobody sets it', () => {
  const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  expect(process.versions.v8).toMatch(/^13\.6\./);
  expect(/--wasm-tiering-budget=(\d+)/.exec(options)?.[1]).toBe('13000000');
});

it('leaves V8 with the options that code caches were made under, also when a module is none', () => {
  const cache = JSON.stringify(join(scratch, 'cache'));
  const common = `import { Script } from 'node:vm'; import { readFileSync, writeFileSync } from 'node:fs';`;
  outputOf(`${common} writeFileSync(${cache}, new Script('1 + 1').createCachedData())`);
  const reading = `console.log(new Script('1 + 1', { cachedData: readFileSync(${cache}) }).cachedDataRejected)`;
  const failing = `try { new WebAssembly.Module(Buffer.from('none')); } catch (error) { console.log(error.name) }`;
  expect(outputOf(`${common} ${postponing} ${making} ${failing} ${reading}`)).toBe('CompileError\nfalse\n');
});

it('has a function that runs for a while compiled once, where V8 by itself compiles it again', async () => {
  expect(await compilersOf(making)).toContain('TurboFan');
  expect(await compilersOf(`${postponing} ${postponing} ${making}`)).toEqual(['Liftoff']);
}, 30_000);

/** The compilers that have had the function, after half a second of it or when the second of them has. */
async function compilersOf(begin: string): Promise<readonly string[]> {
  const rounds = `for (let left = 25; left > 0; left--) {
    exports.spin(500_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }`;
  const args = ['--trace-wasm-compilation-times', ...commandLine(`${begin} ${rounds}`)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.includes('TurboFan')) child.kill();
  });
  await once(child, 'close');
  return [
    ...new Set(Array.from(output.matchAll(/Compiled function \S+ using (\w+)/g), ([, compiler = '']) => compiler)),
  ];
}
