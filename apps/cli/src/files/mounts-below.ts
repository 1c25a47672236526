// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** Where something is mounted, of a directory and all that is below it; `path` without symbolic links. */
export function mountsBelow(path: string): readonly string[] {
  const prefix = path === '/' ? path : `${path}/`;
  return mountPoints(readFileSync('/proc/self/mountinfo', 'latin1')).filter((point) => `${point}/`.startsWith(prefix));
}

/** See proc(5), /proc/pid/mountinfo: the fifth field, in which blanks and backslashes are octal. */
export function mountPoints(mountinfo: string): readonly string[] {
  return mountinfo
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const escaped = line.split(' ')[4] ?? '';
      const bytes = escaped.replace(/\\([0-7]{3})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
      );
      return Buffer.from(bytes, 'latin1').toString();
    });
}
