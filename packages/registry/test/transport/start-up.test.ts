// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const index = new URL('../../src/index.ts', import.meta.url).href;
const PROGRAM = `
const loaded = () => process.moduleLoadList.some((name) => name === 'NativeModule tls');
const { createRegistry } = await import(${JSON.stringify(index)});
const before = loaded();
await using registry = createRegistry({ retry: { attempts: 1 } });
const created = loaded();
await registry.resolve({ domain: '127.0.0.1:1', path: 'x', tag: 'y', digest: undefined }).catch(() => undefined);
console.log(JSON.stringify([before, created, loaded()]));
`;

it('loads no HTTP client before the first request, and keeps no process alive after the last', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@rkt/source', '--input-type=module', '--eval', PROGRAM],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)), timeout: 20_000 },
  );
  expect(JSON.parse(stdout)).toEqual([false, false, true]);
});
