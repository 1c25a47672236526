// SPDX-License-Identifier: Apache-2.0
//
// write-code-cache.ts SCRIPT CACHE: run by the Node that is to read the cache. The script is a function of `module` and
// `require`; each of its exports is asked for first, so that what they are made of is compiled in the cache, too.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { Script } from 'node:vm';

const [, , file = '', cache = ''] = process.argv;
const script = new Script(readFileSync(file, 'utf8'), { filename: basename(file) });
const module: { exports: Readonly<Record<string, unknown>> } = { exports: {} };
script.runInThisContext()(module, createRequire(import.meta.url));
for (const name of Object.keys(module.exports)) if (module.exports[name] === undefined) throw new Error(`no ${name}`);
writeFileSync(cache, script.createCachedData());
