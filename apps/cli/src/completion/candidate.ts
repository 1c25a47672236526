// SPDX-License-Identifier: Apache-2.0
import { commands } from '../args/commands.ts';

/** What may stand in the place of the word that is typed. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** What only the data directory knows, asked for when it is needed. */
export interface Known {
  /** Names and IDs of images. */
  images(typed: string): Promise<readonly Candidate[]>;
  pods(): Promise<readonly Candidate[]>;
}

export interface Candidates {
  readonly words: readonly Candidate[];
  /** Also files of the file system. */
  readonly files: boolean;
}

/** Commands after `rkt`, or after the first word of a group. */
export function commandsBelow(group: string | undefined): readonly Candidate[] {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  if (group !== undefined) {
    const members = shown.filter(({ name }) => name.startsWith(`${group} `));
    return members.map(({ name, summary }) => ({ word: name.slice(group.length + 1), about: summary }));
  }
  const heads = new Map<string, string>();
  for (const { name, summary } of shown) {
    const [head = name, member] = name.split(' ');
    heads.set(head, member === undefined ? summary : `Operate on ${head}s`);
  }
  return [...heads].map(([word, about]) => ({ word, about }));
}
