// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';

const require = createRequire(import.meta.url);

/**
 * Makes of a bundled CommonJS module a function of `module` and `require`, and writes the code cache for it. Each of its
 * exports is asked for first, so that what they are made of is compiled in the cache, too.
 */
export function writeCodeCache(file: string, cache: string): void {
  writeFileSync(file, `(function(module,require){${readFileSync(file, 'utf8')}\n})`);
  const script = new Script(readFileSync(file, 'utf8'), { filename: file });
  const module: { exports: Readonly<Record<string, unknown>> } = { exports: {} };
  script.runInThisContext()(module, require);
  for (const name of Object.keys(module.exports)) if (module.exports[name] === undefined) throw new Error(`no ${name}`);
  writeFileSync(cache, script.createCachedData());
}
