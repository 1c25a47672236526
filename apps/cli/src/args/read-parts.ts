// SPDX-License-Identifier: Apache-2.0
import { usageError } from '../errors.ts';
import { templateHint } from '../help/docker-habits.ts';
import { quote } from '../render/quote.ts';
import { type FlagPosition, type FlagSpec, hasLetter, namesOf, type TypedFlag } from './flag.ts';
import { type FlagPlace, unknownFlag } from './unknown-flag.ts';

/** What a command line is made of, in order. */
export type Part =
  | ({ readonly kind: 'flag' } & TypedFlag)
  | { readonly kind: 'operand'; readonly value: string }
  /** What stood between `--` and `---`, or the end. */
  | { readonly kind: 'app-arguments'; readonly values: readonly string[] };

/**
 * How operands and flags mix: flags `anywhere`; only `before` the first operand (the rest belongs to somebody else); or
 * `images`, where flags belong to the image before them and `-- args ---` are the arguments of its app.
 */
export type OperandStyle = 'anywhere' | 'before' | 'images';

export interface ReadOptions {
  readonly flags: readonly FlagSpec[];
  readonly operands: OperandStyle;
  /** The command whose flags these are, for hints. */
  readonly command?: string;
}

/**
 * Splits a command line into flags and operands, strictly: what is not declared is refused.
 * @throws {CliError} ERR_RKT_CLI_UNKNOWN_FLAG, ERR_RKT_CLI_USAGE
 */
export function readParts(argv: readonly string[], options: ReadOptions): readonly Part[] {
  const parts: Part[] = [];
  const byName = new Map(options.flags.flatMap((flag) => namesOf(flag).map((name) => [name, flag])));
  const words = [...argv];
  for (let at = 0; at < words.length; ) {
    const isAfterImage = options.operands === 'images' && parts.some(({ kind }) => kind === 'operand');
    words.splice(at, 1, ...lettersOf(words[at] ?? '', options.flags));
    const { part, used } = readPart(words, at, { ...options, byName, isAfterImage });
    parts.push(...part);
    at += used;
  }
  return parts;
}

interface Context extends ReadOptions {
  readonly byName: ReadonlyMap<string, FlagSpec>;
  readonly isAfterImage: boolean;
}

interface Read {
  readonly part: readonly Part[];
  /** Words of the command line this took. */
  readonly used: number;
}

function readPart(argv: readonly string[], at: number, context: Context): Read {
  const { operands } = context;
  const word = argv[at] ?? '';
  if (word === '---') {
    // Between images it may stand also where the first has no arguments of its own, as everybody writes it.
    if (context.isAfterImage && argv[at - 1] !== '---') return { part: [], used: 1 };
    throw usageError('bad flag syntax: --- without an image before it', '--- stands between images: IMAGE --- IMAGE');
  }
  if (word === '--' && operands === 'images') return readAppArguments(argv.slice(at + 1));
  if (word === '--') return rest(argv.slice(at + 1), 1);
  if (isFlag(word)) return readFlag(argv, at, context);
  if (operands === 'before') return rest(argv.slice(at), 0);
  return { part: [{ kind: 'operand', value: word }], used: 1 };
}

function rest(words: readonly string[], before: number): Read {
  return { part: words.map((value) => ({ kind: 'operand', value })), used: words.length + before };
}

function readAppArguments(words: readonly string[]): Read {
  const end = words.indexOf('---');
  const values = end < 0 ? words : words.slice(0, end);
  return { part: [{ kind: 'app-arguments', values }], used: values.length + (end < 0 ? 1 : 2) };
}

/** A lone `-` is an operand, by custom standard input. */
function isFlag(word: string): boolean {
  return word.length > 1 && word.startsWith('-');
}

function readFlag(argv: readonly string[], at: number, context: Context): Read {
  const word = spelledOut(argv[at] ?? '', context);
  const equals = word.indexOf('=');
  const spelled = equals < 0 ? word : word.slice(0, equals);
  const flag = lookUp(spelled, context);
  const typed = (argv[at] ?? '').startsWith('--') ? spelled : (argv[at] ?? '').slice(0, 2);
  const given = (value: string, used: number): Read => ({ part: expanded({ flag, value, typed }, context), used });
  const check = (value: string, text: string): string => checked({ flag, value, typed: text }, context);
  if (equals >= 0) return given(check(word.slice(equals + 1), word), 1);
  // Where it is called so, it always has a value.
  const isAlias = spelled !== `--${flag.name}`;
  const alone = flag.kind === 'boolean' ? 'true' : isAlias ? undefined : flag.bare;
  if (alone !== undefined) return given(alone, 1);
  const value = argv[at + 1];
  if (value === undefined) throw usageError(`flag needs an argument: ${spelled}`);
  return given(check(value, `${spelled}=${value}`), 2);
}

/** The flags that a value stands for, or the flag itself. */
function expanded({ flag, value, typed }: TypedFlag, { byName, isAfterImage }: Context): readonly Part[] {
  const meant = flag.expand?.(value, { isAfterImage });
  if (meant === undefined) return [{ kind: 'flag', flag, value, typed }];
  return Object.entries(meant).map(([name, each]) => {
    const other = byName.get(name);
    if (other === undefined) throw new TypeError(`flag --${flag.name} stands for --${name}, which is not declared`);
    return { kind: 'flag', flag: other, value: each, typed };
  });
}

/** Joined letters, `-it`, one by one: those before the last take no value. */
function lettersOf(word: string, flags: readonly FlagSpec[]): readonly string[] {
  const [, letter = '', rest = ''] = /^-([a-z])([^=].*)$/s.exec(word) ?? [];
  const flag = flags.find((each) => hasLetter(each, letter));
  return flag?.kind === 'boolean' ? [`-${letter}`, ...lettersOf(`-${rest}`, flags)] : [word];
}

/** `-pVALUE`, `-p=VALUE` and `-p` as the long flag they stand for. */
function spelledOut(word: string, { flags }: Context): string {
  const [, letter, value = ''] = /^-([a-z])(.*)$/s.exec(word) ?? [];
  const flag = letter === undefined ? undefined : flags.find((each) => hasLetter(each, letter));
  if (flag === undefined) return word;
  return value === '' ? `--${flag.name}` : `--${flag.name}=${value.replace(/^=/, '')}`;
}

function lookUp(spelled: string, { byName, command, isAfterImage }: Context): FlagSpec {
  const name = spelled === '-h' ? '--help' : spelled;
  const flag = name.startsWith('--') ? byName.get(name.slice(2)) : undefined;
  if (flag !== undefined) return flag;
  const place: FlagPlace = { command, known: byName.values(), isAfterImage };
  throw unknownFlag(spelled, place);
}

function checked({ flag, value, typed: word }: TypedFlag, place: FlagPosition): string {
  const meant = flag.kind === 'boolean' && Object.hasOwn(BOOLEANS, value) ? String(BOOLEANS[value]) : value;
  const fault = faultOf(flag, meant, place);
  if (fault === undefined) return meant;
  const hint = flag.name === 'format' && value.includes('{{') ? templateHint : undefined;
  throw usageError(`invalid argument ${quote(value)} for ${quote(word, { marks: false })}: ${fault}`, hint);
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  '1': true,
  false: false,
  f: false,
  '0': false,
};

function faultOf(flag: FlagSpec, value: string, place: FlagPosition): string | undefined {
  if (value.includes('\0')) return 'it contains a NUL character';
  if (flag.kind === 'boolean' && !Object.hasOwn(BOOLEANS, value)) return 'it must be true or false';
  try {
    if (flag.expand?.(value, place) === undefined) flag.check?.(value);
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
  if (flag.choices === undefined || flag.choices.includes(value)) return undefined;
  return `it must be one of ${flag.choices.map((choice) => `"${choice}"`).join(', ')}`;
}
