// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { loadConnectionParts } from '../../src/transport/undici-parts.ts';

const index = new URL('../../src/index.ts', import.meta.url).href;
const PROGRAM = `
import { createRequire } from 'node:module';
const { cache } = createRequire(import.meta.url);
const files = () => Object.keys(cache).filter((name) => name.includes('/undici/'));
const loaded = () => files().length > 0;
const { createRegistry } = await import(${JSON.stringify(index)});
const before = loaded();
await using registry = createRegistry({ retry: { attempts: 1 } });
const created = loaded();
await registry.resolve({ domain: '127.0.0.1:1', path: 'x', tag: 'y', digest: undefined }).catch(() => undefined);
const whole = files().some((name) => name.endsWith('/undici/index.js') || name.includes('/undici/lib/web/fetch/'));
console.log(JSON.stringify([before, created, loaded(), whole]));
`;

it('loads no HTTP client before the first request, and keeps no process alive after the last', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@rkt/source', '--input-type=module', '--eval', PROGRAM],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)), timeout: 20_000 },
  );
  expect(JSON.parse(stdout)).toEqual([false, false, true, false]);
});

it('loads of undici what its entry exports by the same names, in the one version that is known to have it so', async () => {
  const { Agent, buildConnector } = await loadConnectionParts();
  const entry = await import('undici');
  expect([Agent, buildConnector]).toEqual([entry.Agent, entry.buildConnector]);
  const workspace = readFileSync(new URL('../../../../pnpm-workspace.yaml', import.meta.url), 'utf8');
  expect(workspace).toMatch(/^ {2}undici: \d+\.\d+\.\d+$/m);
});
