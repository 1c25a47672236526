// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { componentsOf, licenseTexts } from './components.ts';
import { sbom } from './sbom.ts';
import { nodeVersions, root, type Target } from './target.ts';

const checksums = 'SHA256SUMS';

/**
 * What is offered for download: the executable under a name that says for what machine, its bill of materials, the
 * licences of what is inside, and the checksums of everything in the directory.
 */
export function writeReleaseFiles(
  directory: string,
  {
    target,
    executable,
    files,
    version,
  }: { target: Target; executable: string; files: readonly string[]; version: string },
): void {
  mkdirSync(directory, { recursive: true });
  const name = `rkt-linux-${target.arch}`;
  const { arch } = target;
  // The addon's package has no licence text; the one it was built from has.
  const koffi = createRequire(join(root, 'packages', 'store', 'package.json')).resolve('koffi');
  const components = componentsOf([...files, koffi]);
  const sha256 = sha256Of(executable);
  rmSync(join(directory, name), { force: true });
  linkSync(executable, join(directory, name));
  const document = sbom({ version, arch, sha256, components, nodeVersions: nodeVersions(target) });
  writeFileSync(join(directory, `${name}.cdx.json`), document);
  writeFileSync(join(directory, `${name}.licenses.txt`), licenseTexts(components));
  const listed = readdirSync(directory).filter((file) => file !== checksums);
  const sums = listed.sort().map((file) => `${sha256Of(join(directory, file))}  ${file}\n`);
  writeFileSync(join(directory, checksums), sums.join(''));
}

function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
