// SPDX-License-Identifier: Apache-2.0
import type { FlagSpec, FlagValues } from './flag.ts';
import type { OperandStyle, Part } from './read-parts.ts';

/** What a command gets to see of its command line. */
export interface Arguments {
  readonly flags: FlagValues;
  readonly operands: readonly string[];
  /** Flags and operands in the order given, for commands whose flags belong to operands. */
  readonly parts: readonly Part[];
}

/** A command, declared once: parsing, help and completion read the same table. */
export interface CommandSpec {
  /** `fetch`, or with its group `image list`. */
  readonly name: string;
  readonly summary: string;
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly description?: string;
  readonly flags: readonly FlagSpec[];
  readonly operands: OperandStyle;
  /** How many operands there may be, and what is said when there are fewer. */
  readonly minimum?: readonly [count: number, complaint: string];
  readonly maximum?: number;
  readonly needsRoot?: true;
  /** Of the pods that a name could mean, those that have ended are meant before those that run. */
  readonly endedFirst?: true;
  /** Other names, which other programs have for it. They are not shortened. */
  readonly aliases?: readonly string[];
  /** rkt 1.30 did not have it: a beginning that also fits a command it had means that one. */
  readonly isNew?: true;
  /** For programs alone: neither help nor completion shows it. */
  readonly hidden?: true;
}

/** The last word of a command's name, by which hints and programs tell it. */
export function lastWordOf(command: CommandSpec): string {
  return command.name.slice(command.name.lastIndexOf(' ') + 1);
}
