#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { main } from './main.ts';

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => abort.abort(new Error(`interrupted by ${signal}`)));
}
const { version }: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);
const err = (text: string): void => void process.stderr.write(text);

process.exitCode = await main(
  process.argv.slice(2),
  {
    directory: process.cwd(),
    env: process.env,
    uid: process.geteuid?.() ?? 0,
    signal: abort.signal,
    out: (text) => void process.stdout.write(text),
    err,
    warn: (message) => err(`Warning: ${message}\n`),
  },
  version,
);
