// SPDX-License-Identifier: Apache-2.0
//
// Makes dist/rkt: one executable with Node, the bundled program, its workers and the native addon inside.

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram, bundleScript } from './bundle.ts';
import { writeCodeCache } from './code-cache.ts';

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '..', 'dist');
const work = join(dist, '.sea');

const assets = ['koffi.node', 'conversion-worker.cjs', 'undici.cjs', 'undici.cache'];

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const { version } = JSON.parse(readFileSync(join(here, '..', 'package.json'), 'utf8'));

await bundleProgram(join(here, 'sea', 'entry.ts'), join(work, 'rkt.cjs'), { version });
const layers = join(here, '..', '..', '..', 'packages', 'docker2aci', 'src', 'layers');
await bundleScript(join(layers, 'conversion-worker.ts'), join(work, 'conversion-worker.cjs'));
await bundleScript(join(here, 'sea', 'undici-parts.cjs'), join(work, 'undici.cjs'));
writeCodeCache(join(work, 'undici.cjs'), join(work, 'undici.cache'));
copyFileSync(addonPath(), join(work, 'koffi.node'));
writeFileSync(join(work, 'sea.json'), JSON.stringify(seaConfig()));

// The executable is a copy of the Node that runs this script, so that code cache and Node match.
execFileSync(process.execPath, ['--experimental-sea-config', join(work, 'sea.json')], { stdio: 'inherit' });
const executable = join(work, 'rkt');
copyFileSync(process.execPath, executable);
chmodSync(executable, 0o755);
await inject(executable);
renameSync(executable, join(dist, 'rkt'));

function seaConfig(): object {
  return {
    main: join(work, 'rkt.cjs'),
    output: join(work, 'rkt.blob'),
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: true,
    // No options for V8: with any, it rejects the code cache of Node's own modules, and every thread starts 10 ms later.
    execArgv: ['--disable-warning=ExperimentalWarning', '--openssl-config=/dev/null'],
    // Options for Node in the caller's environment must not change what a tool that runs as root does; nor must the
    // OpenSSL configuration it names, which can load native code.
    execArgvExtension: 'none',
    assets: Object.fromEntries(assets.map((name) => [name, join(work, name)])),
  };
}

interface Postject {
  inject(file: string, name: string, blob: Buffer, options: { readonly sentinelFuse: string }): Promise<void>;
}

async function inject(file: string): Promise<void> {
  const { warn } = console;
  // It remarks on every section of Node's notes whose name it cannot look up, which does not concern what it adds.
  console.warn = () => undefined;
  try {
    const postject: Postject = require('postject');
    await postject.inject(file, 'NODE_SEA_BLOB', readFileSync(join(work, 'rkt.blob')), {
      sentinelFuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2',
    });
  } finally {
    console.warn = warn;
  }
}

/** koffi's prebuilt addon for this architecture, from the package of its own that carries it. */
function addonPath(): string {
  const koffi = createRequire(require.resolve('@rkt/store/package.json')).resolve('koffi');
  const packageName = `@koromix/koffi-linux-${process.arch}`;
  return join(dirname(createRequire(koffi).resolve(packageName)), `linux_${process.arch}`, 'koffi.node');
}
