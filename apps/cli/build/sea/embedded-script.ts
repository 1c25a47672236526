// SPDX-License-Identifier: Apache-2.0
import { getRawAsset } from 'node:sea';
import { Script } from 'node:vm';

/** A CommonJS module as a function of what such modules are given. */
export type ModuleFunction = (module: { exports: unknown }, require: NodeJS.Require) => void;

/** A script the executable carries, compiled already: see `code-caches/`. */
export function embeddedScript(name: string): ModuleFunction {
  // All of its characters are ASCII, and the memory is that of the executable's file: nothing is decoded or copied twice.
  const source = asset(`${name}.cjs`).toString('latin1');
  const cachedData = asset(`${name}.cache`);
  return new Script(source, { filename: `${name}.cjs`, cachedData }).runInThisContext();
}

function asset(name: string): Buffer {
  return Buffer.from(getRawAsset(name) as ArrayBuffer);
}
