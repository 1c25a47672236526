// SPDX-License-Identifier: Apache-2.0

/** A flag, declared once: parsing, help and completion read the same table. */
export interface FlagSpec {
  /** Without dashes. */
  readonly name: string;
  /** One letter that stands for the name after a single dash; its value may follow without a space. */
  readonly short?: string;
  /** Other names and letters, which other programs have for it. */
  readonly aliases?: readonly string[];
  /** `boolean` flags take a value only as `--flag=false`. */
  readonly kind: 'boolean' | 'text';
  readonly summary: string;
  /** How the value is called in help. */
  readonly placeholder?: string;
  readonly default?: string;
  /** What `--flag` alone means; a value must then be joined with `=`. */
  readonly bare?: string;
  /** Values that are told from an operand where one follows the bare flag. */
  readonly familiar?: readonly string[];
  /** May be given several times, every value counts. Otherwise the last one wins. */
  readonly repeat?: true;
  readonly choices?: readonly string[];
  /** Of what a list separated by commas may be made. */
  readonly members?: readonly string[];
  /** Throws an Error with the reason for a value that cannot be; a boolean is `true` or `false`, however it was spelled. */
  readonly check?: (value: string) => unknown;
  /**
   * Values of other flags, by their names, that one in another program's form stands for; undefined for one in a form of our
   * own. Throws an Error with the reason for a value that cannot be.
   */
  readonly expand?: (value: string, place: FlagPosition) => Readonly<Record<string, string>> | undefined;
  /** Says something about the image before it on the command line. */
  readonly scope?: 'image';
  /** Also allowed before the first image, where it holds for every image. */
  readonly beforeImages?: true;
  readonly hidden?: true;
}

/** The check of a boolean flag that says how it is in any case. Throws an Error for `false`. */
export function refuseFalse(value: string): void {
  if (value === 'false') throw new Error('it is so in any case');
}

/** Where on a command line of images a flag stands. */
export interface FlagPosition {
  readonly isAfterImage: boolean;
}

/** Everything that names a flag after two dashes. */
export function namesOf({ name, aliases = [] }: FlagSpec): readonly string[] {
  return [name, ...aliases.filter((alias) => alias.length > 1)];
}

/** Whether a letter after one dash is the flag. */
export function hasLetter({ short, aliases = [] }: FlagSpec, letter: string): boolean {
  return short === letter || (letter.length === 1 && aliases.includes(letter));
}

/** Whether a flag is what a word such as `--name` or `-n` means. */
export function isSpelled(flag: FlagSpec, word: string): boolean {
  return namesOf(flag).some((name) => word === `--${name}`) || hasLetter(flag, word.slice(1));
}

/** A flag as it was given. */
export interface GivenFlag {
  readonly flag: FlagSpec;
  readonly value: string;
}

/** One of a command line. */
export interface TypedFlag extends GivenFlag {
  /** What it was called by: `-e`, `--env`. */
  readonly typed: string;
}

/** The values of a command's flags. Asking for a flag the command does not declare is a TypeError. */
export interface FlagValues {
  given(name: string): boolean;
  boolean(name: string): boolean;
  /** The last value, else the default, else undefined. */
  text(name: string): string | undefined;
  /** Every value, in the order given. */
  texts(name: string): readonly string[];
}

/** Collects given flags for look-up by name. */
export function flagValues(specs: readonly FlagSpec[], given: readonly GivenFlag[]): FlagValues {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const values = new Map<string, string[]>();
  for (const { flag, value } of given) {
    const known = values.get(flag.name);
    if (known === undefined) values.set(flag.name, [value]);
    else known.push(value);
  }
  const declared = (name: string): FlagSpec => {
    const spec = byName.get(name);
    if (spec === undefined) throw new TypeError(`flag --${name} is not declared`);
    return spec;
  };
  const text = (name: string): string | undefined => {
    const spec = declared(name);
    return values.get(name)?.at(-1) ?? spec.default;
  };
  return {
    given: (name) => values.has(declared(name).name),
    boolean: (name) => text(name) === 'true',
    text,
    texts: (name) => values.get(declared(name).name) ?? [],
  };
}
