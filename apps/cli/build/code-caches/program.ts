// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as vm from 'node:vm';
import * as workerThreads from 'node:worker_threads';
import type { ModuleFunction } from '../sea/embedded-script.ts';
import { createThread, type ThreadOptions } from './thread.ts';

/** The program of the executable, from the scripts in the working directory. What its threads do, it does on this one. */
export interface Program {
  /** Runs it with these words to its end. @throws an error unless it succeeds */
  run(words: readonly string[]): Promise<void>;
  /** Of a script as far as it is compiled by now. */
  codeCache(name: string): Buffer;
}

const require = createRequire('file:///');

export function createProgram(): Program {
  const scripts = new Map<string, vm.Script>();
  const scriptOf = (file: string): vm.Script => {
    const script = scripts.get(file) ?? new vm.Script(readFileSync(file, 'latin1'), { filename: file });
    scripts.set(file, script);
    return script;
  };
  // What the scripts know of where they are.
  const modules: Readonly<Record<string, unknown>> = {
    'node:sea': { getAsset: (file: string) => readFileSync(file, 'latin1'), getRawAsset: assetOf },
    'node:vm': {
      ...vm,
      Script: constructing((_source: string, { filename }: { filename: string }) => scriptOf(filename)),
    },
    'node:worker_threads': {
      ...workerThreads,
      Worker: constructing((_start: string, options: ThreadOptions) =>
        createThread(options, (name, inThread) =>
          evaluate(name, { 'node:worker_threads': { ...workerThreads, ...inThread } }),
        ),
      ),
    },
  };
  const evaluate = (name: string, own: Readonly<Record<string, unknown>> = {}): void => {
    const script: ModuleFunction = scriptOf(`${name}.cjs`).runInThisContext();
    const load = (id: string): unknown => own[id] ?? modules[id] ?? require(id);
    script({ exports: {} }, load as NodeJS.Require);
  };
  return {
    run: async (words) => {
      const ended = Promise.withResolvers<void>();
      const said: string[] = [];
      const kept = { exit: process.exit, write: process.stderr.write };
      process.exit = (() => ended.resolve()) as typeof process.exit;
      process.stderr.write = (text: string | Uint8Array) => said.push(String(text)) > 0;
      process.argv = [process.execPath, 'rkt', ...words];
      evaluate('rkt');
      await ended.promise;
      process.exit = kept.exit;
      process.stderr.write = kept.write;
      if (process.exitCode !== 0)
        throw new Error(`rkt ${words.join(' ')} ended with ${process.exitCode}: ${said.join('')}`);
    },
    codeCache: (name) => scriptOf(`${name}.cjs`).createCachedData(),
  };
}

/** Of a file that is not there yet, which is a code cache, nothing. */
function assetOf(file: string): ArrayBuffer {
  return file.endsWith('.cache') ? new ArrayBuffer(0) : new Uint8Array(readFileSync(file)).buffer;
}

/** A class whose `new` gives what a function makes. */
function constructing<Args extends unknown[], Made extends object>(make: (...args: Args) => Made) {
  return class {
    constructor(...args: Args) {
      // biome-ignore lint/correctness/noConstructorReturn: this is what it is for.
      return make(...args);
    }
  };
}
