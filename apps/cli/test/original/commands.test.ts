// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/args/commands.ts';
import { parseDuration } from '../../src/args/duration.ts';
import type { FlagSpec } from '../../src/args/flag.ts';
import { globalFlags } from '../../src/args/global-flags.ts';
import { type OriginalFlags, originalCommands, originalGlobalFlags } from './commands.ts';
import { codeIn, differences } from './differences.ts';

/** Rows of flags: commands (`*`: every one of the original that has it), flags, what rkt has, why. */
const flagRows = differences('Flags').map(([where = '', flags = '', here = '', why = '']) => ({
  commands: codeIn(where),
  flags: codeIn(flags),
  here,
  why,
}));
const absentCommands = differences('Commands that are not there').flatMap(([names = '']) => codeIn(names));

const ownFlags = new Map(commands.map(({ name, flags }) => [name, flags]));

/** Commands of the original that rkt has, with the flags of both; `rkt` stands for the flags of every command. */
const shared: readonly (readonly [name: string, theirs: OriginalFlags, ours: readonly FlagSpec[]])[] = [
  ['rkt', originalGlobalFlags, globalFlags],
  ...Object.entries(originalCommands).flatMap(([name, flags]) => {
    const ours = ownFlags.get(name);
    return ours === undefined ? [] : [[name, flags, ours] as const];
  }),
];

function rowsFor(command: string, flag: string) {
  return flagRows.filter(
    ({ commands: where, flags }) =>
      flags.includes(`--${flag}`) && (where.includes(command) || (where.includes('*') && command !== 'rkt')),
  );
}

describe('every command of the original', () => {
  it.each(Object.keys(originalCommands))('%s is there, or it is said why not', (name) => {
    expect(ownFlags.has(name) || absentCommands.includes(name)).toBe(true);
  });

  it('that is said not to be there is not', () => {
    expect(absentCommands.filter((name) => ownFlags.has(name))).toEqual([]);
    expect(absentCommands.filter((name) => !Object.hasOwn(originalCommands, name))).toEqual([]);
  });
});

describe('every flag of the original', () => {
  it.each(shared)('of %s is there with its default, or it is said why not', (name, theirs, ours) => {
    const unexplained = Object.entries(theirs).filter(([flag, standard]) => {
      const spec = ours.find((own) => own.name === flag);
      return (spec === undefined || !hasDefault(spec, standard)) && rowsFor(name, flag).length !== 1;
    });
    expect(unexplained).toEqual([]);
  });

  it('that is said not to be there is not, and is the original’s', () => {
    const wrong = flagRows.flatMap(({ commands: where, flags, here }) =>
      flags.flatMap((flag) => {
        const having = shared.filter(
          ([name, theirs]) =>
            (where.includes(name) || (where.includes('*') && name !== 'rkt')) && Object.hasOwn(theirs, flag.slice(2)),
        );
        if (having.length === 0) return [`${flag} is no flag of ${where.join(', ')} in the original`];
        const present = having.filter(([, , ours]) => ours.some((own) => `--${own.name}` === flag));
        const isAbsent = here.startsWith('not there');
        return present.flatMap(([name]) => (isAbsent ? [`${name} ${flag} is there`] : []));
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('is argued about', () => {
    expect(flagRows.filter(({ why }) => why.length < 10)).toEqual([]);
  });
});

function hasDefault(flag: FlagSpec, standard: string): boolean {
  const own = flag.default ?? /\(default: ([^)]+)\)/.exec(flag.summary)?.[1] ?? '';
  if (/^(\d+h)?(\d+m)?\d+s$/.test(standard)) return parseDuration(own) === parseDuration(standard);
  // `--net` alone means `default`, and so does no `--net`.
  if (flag.bare !== undefined && own === '') return flag.bare === standard;
  return own === standard || (flag.kind === 'boolean' && own === 'false' && standard === '');
}
