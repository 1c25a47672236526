// SPDX-License-Identifier: Apache-2.0
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram, bundleScript } from './bundle.ts';
import { repeatable, traceless } from './code-caches/v8-options.ts';
import { addonOf, nodeOf, root, runOnTarget, type Target } from './target.ts';

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));

/** Scripts that have a code cache. */
const cached = ['rkt', 'conversion-worker', 'hashing-worker', 'undici'];

const assets = [
  'koffi.node',
  'start-worker.cjs',
  'openpgp.cjs',
  ...cached.flatMap((name) => [`${name}.cjs`, `${name}.cache`]),
];

/**
 * Makes an executable of Node, the bundled program, its workers and the native addon, named `rkt` in a work directory.
 * The same sources and lockfile give the same bytes.
 *
 * @returns the files of which something is inside
 */
export async function makeExecutable(target: Target, work: string, version: string): Promise<readonly string[]> {
  const bundled = (script: string, ...path: string[]) => bundleScript(join(...path), join(work, script));
  const files = [
    ...(await bundleProgram(join(here, 'sea', 'entry.ts'), join(work, 'rkt.cjs'), { version })),
    ...(await bundled('conversion-worker.cjs', root, 'packages/docker2aci/src/layers/conversion-worker.ts')),
    ...(await bundled('hashing-worker.cjs', root, 'packages/store/src/verify/hashing-worker.ts')),
    ...(await bundled('undici.cjs', here, 'sea', 'undici-parts.cjs')),
    ...(await bundled('openpgp.cjs', here, 'sea', 'openpgp-parts.cjs')),
    ...(await bundled('start.cjs', here, 'sea', 'start.ts')),
    ...(await bundled('start-worker.cjs', here, 'sea', 'start-worker.ts')),
    addonOf(target),
    nodeOf(target),
  ];
  if (!files.some((file) => file.endsWith('/undici-h2.cjs'))) throw new Error('undici has its own client for HTTP/2');
  for (const name of [...cached, 'openpgp']) wrapInFunction(join(work, `${name}.cjs`));
  copyFileSync(addonOf(target), join(work, 'koffi.node'));
  for (const program of ['use-program', 'write-code-caches'])
    await bundled(`${program}.mjs`, here, 'code-caches', `${program}.ts`);
  // A code cache belongs to one Node on one architecture: the target's own Node makes it.
  const onNode = (args: readonly string[]) =>
    runOnTarget(target, nodeOf(target), [...repeatable, '--disable-warning=ExperimentalWarning', ...args], work);
  onNode([...traceless, 'use-program.mjs', ...cached]);
  onNode(['write-code-caches.mjs', ...cached]);
  writeFileSync(join(work, 'sea.json'), JSON.stringify(seaConfig()));
  onNode(['--experimental-sea-config', 'sea.json']);
  copyFileSync(nodeOf(target), join(work, 'rkt'));
  chmodSync(join(work, 'rkt'), 0o755);
  await inject(join(work, 'rkt'), readFileSync(join(work, 'rkt.blob')));
  return files;
}

/** A bundled CommonJS module becomes a function of what such modules are given, so far as they ask for it. */
function wrapInFunction(file: string): void {
  const source = readFileSync(file, 'utf8');
  // It is read byte by byte: see `embeddedScript`.
  if (/[^\0-\x7f]/.test(source)) throw new Error(`${file} has characters that are not ASCII`);
  writeFileSync(file, `(function(module,require,__filename){${source}\n})`);
}

/** Paths are relative to the work directory: the blob has that of the program inside. */
function seaConfig(): object {
  return {
    main: 'start.cjs',
    output: 'rkt.blob',
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    // A few lines; what they start has one of its own.
    useCodeCache: false,
    // No options for V8: with any, it rejects the code cache of Node's own modules, and every thread starts 10 ms later.
    execArgv: ['--disable-warning=ExperimentalWarning', '--openssl-config=/dev/null'],
    // Options for Node in the caller's environment must not change what a tool that runs as root does; nor must the
    // OpenSSL configuration it names, which can load native code.
    execArgvExtension: 'none',
    assets: Object.fromEntries(assets.map((name) => [name, name])),
  };
}

interface Postject {
  inject(file: string, name: string, blob: Buffer, options: { readonly sentinelFuse: string }): Promise<void>;
}

async function inject(file: string, blob: Buffer): Promise<void> {
  const { warn } = console;
  // It remarks on every section of Node's notes whose name it cannot look up, which does not concern what it adds.
  console.warn = () => undefined;
  try {
    const postject: Postject = require('postject');
    await postject.inject(file, 'NODE_SEA_BLOB', blob, {
      sentinelFuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2',
    });
  } finally {
    console.warn = warn;
  }
}
