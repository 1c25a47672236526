// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { startTestRegistry } from '@rkt/registry/testing';
import { composeImage } from '@rkt/tooling-images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageCache } from '../src/image-cache.ts';
import { type Installation, installation } from '../src/rkt.ts';

const document = readFileSync(new URL('../../../docs/differences-from-rkt.md', import.meta.url), 'utf8');
const [, section = ''] = document.split('## Refused by the runtime\n');
/** A command line and what rkt says to it, as the document has them. */
const rows = [...section.matchAll(/^\| `(.+?)` +\| `.+?` +\| `(.+?)` +\|/gm)].map(
  ([, command = '', said = '']) => [command, said] as const,
);

let host: Installation;
let image: string;

beforeAll(async () => {
  host = installation();
  await using registry = await startTestRegistry();
  await registry.addLayout(await composeImage('redis', imageCache), { repository: 'redis', tag: 'latest' });
  image = (await host.rkt(['--insecure-options=image', 'fetch', `docker://${registry.domain}/redis`])).stdout.trim();
});
afterAll(() => host[Symbol.asyncDispose]());

describe('what the document says the runtime refuses', () => {
  it('is in it', () => {
    expect(rows).toHaveLength(5);
  });

  it.each(rows)('%s', async (command, said) => {
    const { status, stderr } = await host.rkt(command.split(' ').map((word) => (word === 'IMAGE' ? image : word)));
    expect(`${status} ${stderr.split('\n')[0]}`).toBe(said);
  });
});
