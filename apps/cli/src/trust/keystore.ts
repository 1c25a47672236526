// SPDX-License-Identifier: Apache-2.0
import { readdirSync, statSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { isAcIdentifier } from '@rkt/appc';
import { CliError, errnoOf, reasonOf } from '../errors.ts';
import { cannotWrite, writeOutputFile } from '../files/output-file.ts';
import { readSmallFile } from '../files/read-small-file.ts';
import { quote } from '../render/quote.ts';
import { LARGEST_KEY_FILE, type PublicKey, readPublicKeys } from './public-keys.ts';

/**
 * The trusted keys, in the directories of the original: `trustedkeys/root.d/FINGERPRINT` for every image, and
 * `trustedkeys/prefix.d/PREFIX/FINGERPRINT` for those whose names are `PREFIX` or go on after it with a slash. An empty file
 * takes the trust away from the key of that fingerprint.
 */
export interface Keystore {
  /**
   * The keys that may sign an image of this name.
   * @throws {CliError} ERR_RKT_CLI_KEY_INVALID for a file that is not the key it is called after
   */
  keysFor(name: string): Promise<readonly PublicKey[]>;
  /** Whether a key is there for the name itself or a part of it before a slash; those of all images do not count. */
  hasKeysFor(name: string): boolean;
  /** Writes a key, for a prefix or, without one, for all images. Resolves with the path of the file. */
  add(key: PublicKey, prefix: string | undefined): Promise<string>;
}

/** The directories of configuration that keys are in: what `local` says comes after `system`. Empty: none. */
export interface KeystorePlaces {
  readonly system: string;
  readonly local: string;
}

const MOST_FILES = 1024;
/** Of a directory of keys; names come out of manifests that nobody has verified yet, and have no limit of their own. */
const LONGEST_PREFIX = 1024;
/** Of version 4 of OpenPGP, or of version 6. */
const FINGERPRINT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

export function openKeystore({ system, local }: KeystorePlaces): Keystore {
  const roots = [system, local].filter((dir) => dir !== '').map((dir) => join(dir, 'trustedkeys'));
  const prefixDirectories = (name: string): readonly string[] =>
    roots.flatMap((root) => prefixesOf(name).map((prefix) => join(root, 'prefix.d', prefix)));
  return {
    keysFor: async (name) => {
      const directories = [...roots.map((root) => join(root, 'root.d')), ...prefixDirectories(name)];
      const files = new Map<string, KeyFile>();
      for (const file of directories.flatMap(keyFiles)) {
        if (file.isEmpty) files.delete(file.fingerprint);
        else files.set(file.fingerprint, file);
      }
      return Promise.all([...files.values()].map(readKey));
    },
    hasKeysFor: (name) =>
      prefixDirectories(name)
        .flatMap(keyFiles)
        .some(({ isEmpty }) => !isEmpty),
    add: async (key, prefix) => {
      if (local === '') throw new CliError('ERR_RKT_CLI_USAGE', 'there is no --local-config to keep keys in');
      const directory = resolve(local, 'trustedkeys', ...(prefix === undefined ? ['root.d'] : ['prefix.d', prefix]));
      const path = join(directory, key.fingerprint);
      await writeKey(directory, path, key.armored);
      return path;
    },
  };
}

/** Whether keys can be trusted for this prefix: the name of an image, or a part of it before a slash. */
export function isPrefix(text: string): boolean {
  return prefixesOf(text).at(-1) === text;
}

/** The parts of a name that end before a slash, the shortest first; none of a name that would lead out of a directory. */
function prefixesOf(name: string): readonly string[] {
  const parts = name.split('/');
  if (!isAcIdentifier(name) || parts.some((part) => part === '' || part === '.' || part === '..')) return [];
  const prefixes: string[] = [];
  let prefix = '';
  for (const part of parts) {
    prefix = prefix === '' ? part : `${prefix}/${part}`;
    if (prefix.length > LONGEST_PREFIX) break;
    prefixes.push(prefix);
  }
  return prefixes;
}

interface KeyFile {
  readonly path: string;
  readonly fingerprint: string;
  readonly isEmpty: boolean;
}

function keyFiles(directory: string): readonly KeyFile[] {
  try {
    // Directories are those of longer prefixes; what was being written when a process ended is nobody's.
    const entries = readdirSync(directory, { withFileTypes: true }).filter(
      (entry) => !entry.isDirectory() && !entry.name.endsWith('.tmp'),
    );
    if (entries.length > MOST_FILES) throw new Error(`it has more than ${MOST_FILES} files`);
    return entries.map(({ name }) => {
      // An empty file that is called otherwise would take the trust away from nobody.
      if (!FINGERPRINT.test(name)) throw new Error(`${quote(name)} is no fingerprint: 40 lower-case hex digits`);
      const path = join(directory, name);
      return { path, fingerprint: name, isEmpty: statSync(path).size === 0 };
    });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG') return [];
    throw invalid(directory, reasonOf(error), error);
  }
}

/** Only the first key of a file is the one it is named after, and only that one counts, as in the original. */
async function readKey({ path, fingerprint }: KeyFile): Promise<PublicKey> {
  const [key] = await readPublicKeys(readSmallFile(path, LARGEST_KEY_FILE), path);
  if (key?.fingerprint === fingerprint) return key;
  throw invalid(path, `its name is to be the fingerprint of its key, ${key?.fingerprint}`);
}

/** For every user to read, whatever the umask: it is public, and fetching needs no root. */
async function writeKey(directory: string, path: string, text: string): Promise<void> {
  try {
    const first = await mkdir(directory, { recursive: true, mode: 0o755 });
    for (let made = directory; first !== undefined && made.startsWith(first); made = dirname(made)) {
      await chmod(made, 0o755);
    }
    const file = { path, overwrite: true, what: 'key', signal: new AbortController().signal };
    await writeOutputFile(file, Readable.from([Buffer.from(text, 'latin1')]));
    await chmod(path, 0o644);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

function invalid(path: string, reason: string, cause?: unknown): CliError {
  return new CliError('ERR_RKT_CLI_KEY_INVALID', `cannot use trusted keys ${quote(path)}: ${reason}`, {
    cause,
    hint: 'remove it, and trust the key again: rkt trust --prefix=PREFIX FILE',
  });
}
