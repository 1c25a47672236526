// SPDX-License-Identifier: Apache-2.0

/** Bytes of `ctrl-p,ctrl-q` and its like, as docker and podman write them; none: nothing detaches. Throws an Error. */
export function parseDetachKeys(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(',').map((key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 0x40;
    if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0);
    throw new Error('it must be keys such as "ctrl-p,ctrl-q", each one character or ctrl- and a letter');
  });
}
