// SPDX-License-Identifier: Apache-2.0
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { root } from './target.ts';

const here = dirname(fileURLToPath(import.meta.url));

const common = {
  // Names in the bundle are relative to the repository, wherever that and the caller are.
  absWorkingDir: root,
  metafile: true,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  // Modules of Node are required, without the loader of the others, which would have to be started first.
  supported: { 'dynamic-import': false },
  conditions: ['@rkt/source'],
  minifySyntax: true,
  minifyWhitespace: true,
  // Names stay: stack traces of unexpected errors are for people.
  keepNames: false,
  legalComments: 'none',
  logLevel: 'warning',
  logOverride: { 'empty-import-meta': 'silent' },
} as const satisfies BuildOptions;

/** Parts of the program that are files in the npm package and assets inside the executable. */
const embeddedParts: Plugin = {
  name: 'embedded-parts',
  setup(plugin) {
    plugin.onResolve({ filter: /^koffi$/ }, () => ({ path: join(here, 'sea', 'koffi.ts') }));
    plugin.onResolve({ filter: /^undici$/ }, () => ({ path: join(here, 'sea', 'undici.cjs') }));
    plugin.onResolve({ filter: /^undici\/lib\// }, ({ path }) => ({
      path: join(here, 'sea', `undici-${basename(path, '.js')}.cjs`),
    }));
    plugin.onResolve({ filter: /^openpgp$/ }, () => ({ path: join(here, 'sea', 'openpgp.cjs') }));
    plugin.onResolve({ filter: /\/embedded-parts\.ts$/ }, ({ importer }) =>
      importer.includes(join('build', 'sea')) ? undefined : { path: join(here, 'sea', 'embedded-parts.ts') },
    );
  },
};

/**
 * One file with every command in it; what a command does not need is not evaluated.
 *
 * @returns the files of which something is in the bundle
 */
export async function bundleProgram(
  entry: string,
  outfile: string,
  { version }: { version: string },
): Promise<readonly string[]> {
  const { metafile } = await build({
    ...common,
    entryPoints: [entry],
    outfile,
    plugins: [embeddedParts],
    define: {
      'process.env.RKT_BUILD_VERSION': JSON.stringify(version),
      // No module has a file of its own: all of them are in here.
      'import.meta.url': JSON.stringify('file:///proc/self/exe'),
    },
  });
  return bundledFiles(metafile);
}

/** undici without what is not used of it. */
const lessUndici: Plugin = {
  name: 'less-undici',
  setup(plugin) {
    plugin.onResolve({ filter: /\/client-h2\.js$/ }, () => ({ path: join(here, 'sea', 'undici-h2.cjs') }));
  },
};

/** A worker thread's program, or another part of the executable, as one self-contained script; gives its files, too. */
export async function bundleScript(entry: string, outfile: string): Promise<readonly string[]> {
  const format = outfile.endsWith('.mjs') ? 'esm' : 'cjs';
  const { metafile } = await build({ ...common, format, entryPoints: [entry], outfile, plugins: [lessUndici] });
  return bundledFiles(metafile);
}

function bundledFiles({ outputs }: Metafile): readonly string[] {
  return Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => join(root, file));
}
