// SPDX-License-Identifier: Apache-2.0

/** An absolute path without `.`, `..` and repeated or trailing slashes. Links are not looked at. */
export function resolveDots(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
