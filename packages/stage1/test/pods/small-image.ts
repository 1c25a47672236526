// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const programs = [
  'dash',
  'cat',
  'sleep',
  'ls',
  'id',
  'touch',
  'stat',
  'stty',
  'readlink',
  'mknod',
  'mkdir',
  'grep',
  'hostname',
];

/** A root filesystem of the host's own programs and the libraries they are linked with. */
export function makeSmallImage(path: string): void {
  for (const directory of ['bin', 'etc', 'tmp', 'data', 'data/sub'])
    mkdirSync(join(path, directory), { recursive: true });
  for (const program of programs) copyProgram(path, findProgram(program));
  symlinkSync('dash', join(path, 'bin', 'sh'));
  writeFileSync(join(path, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nworker:x:1234:2345::/work:/bin/sh\n');
  writeFileSync(join(path, 'etc/group'), 'root:x:0:\nworkers:x:2345:worker\nmore:x:77:worker\n');
  writeFileSync(join(path, 'data/sub/file'), 'from the image\n');
  symlinkSync('/etc/shadow', join(path, 'data/link'));
  chownSync(join(path, 'data'), 11, 12);
  chownSync(join(path, 'data/sub/file'), 13, 14);
}

function findProgram(name: string): string {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
}

function copyProgram(root: string, program: string): void {
  copyFileSync(program, join(root, 'bin', program.slice(program.lastIndexOf('/') + 1)));
  const linked = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const library of linked) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
}
