// SPDX-License-Identifier: Apache-2.0
import type { AciCompression } from '../compress-aci.ts';

/** The command line of docker2aci. */
export interface CommandArguments {
  readonly compression: AciCompression;
  readonly debug: boolean;
  /** Which image of a file; empty for its only one. */
  readonly image: string;
  readonly insecureAllowHttp: boolean;
  readonly insecureSkipVerify: boolean;
  readonly nosquash: boolean;
  readonly version: boolean;
  readonly operands: readonly string[];
}

/** A command line that is none; the usage is to follow. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `Usage of docker2aci:
docker2aci [-debug] [-nosquash] [-compression=(gzip|none|zstd)] IMAGE
  Where IMAGE is
    [-image=IMAGE_NAME[:TAG]] FILEPATH
  or
    docker://[REGISTRYURL/]IMAGE_NAME[:TAG]
Flags:
  -compression string
    	Type of compression to use; allowed values: gzip, none, zstd (default "gzip")
  -debug
    	Enables debug messages
  -image string
    	When converting a local file, it selects a particular image to convert. Format: IMAGE_NAME[:TAG]
  -insecure-allow-http
    	Uses unencrypted connections when fetching images
  -insecure-skip-verify
    	Don't verify certificates when fetching images
  -nosquash
    	Don't squash layers and output every layer as ACI
  -version
    	Print version
`;

const SWITCHES = ['debug', 'insecure-allow-http', 'insecure-skip-verify', 'nosquash', 'version'];
const TEXTS = ['compression', 'image'];
const BOOLEANS: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  true: true,
  '0': false,
  f: false,
  false: false,
};

/**
 * Reads flags as Go's `flag` package has them, which the original used: one dash or two, `-flag=value`, `-flag value` where
 * it is no switch, up to the first operand.
 *
 * @throws UsageError; Error for a compression that is none
 */
export function parseArguments(argv: readonly string[]): CommandArguments {
  const flags = new Map<string, string>();
  let at = 0;
  for (let word = argv[at]; word !== undefined && word.length > 1 && word.startsWith('-'); word = argv[at]) {
    at += 1;
    if (word === '--') break;
    const { name, value } = readFlag(word);
    flags.set(name, value ?? argv[at++] ?? missing(name));
  }
  const is = (name: string): boolean => flags.has(name) && booleanOf(name, flags.get(name));
  return {
    compression: compressionOf(flags.get('compression') ?? 'gzip'),
    debug: is('debug'),
    image: flags.get('image') ?? '',
    insecureAllowHttp: is('insecure-allow-http'),
    insecureSkipVerify: is('insecure-skip-verify'),
    nosquash: is('nosquash'),
    version: is('version'),
    operands: argv.slice(at),
  };
}

/** A flag; without a value where that is the next word. */
function readFlag(word: string): { readonly name: string; readonly value: string | undefined } {
  const [, name = '', value] = /^--?([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  if (name === 'h' || name === 'help') throw new UsageError('');
  if (SWITCHES.includes(name)) return { name, value: value ?? 'true' };
  if (TEXTS.includes(name)) return { name, value };
  throw new UsageError(`flag provided but not defined: -${name}`);
}

function booleanOf(name: string, value = 'true'): boolean {
  const known = Object.hasOwn(BOOLEANS, value) ? BOOLEANS[value] : undefined;
  if (known === undefined) throw new UsageError(`invalid boolean value ${JSON.stringify(value)} for -${name}`);
  return known;
}

function missing(name: string): never {
  throw new UsageError(`flag needs an argument: -${name}`);
}

function compressionOf(text: string): AciCompression {
  if (text === 'gzip' || text === 'none' || text === 'zstd') return text;
  throw new Error(`unknown compression method: ${text}`);
}
