// SPDX-License-Identifier: Apache-2.0
import { publicKeyLocations } from '@rkt/appc';
import { type Discovered, discoverTags } from '../downloads/discover-tags.ts';
import { CliError } from '../errors.ts';
import { readSmallFile } from '../files/read-small-file.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
import { openKeystore } from './keystore.ts';
import { LARGEST_KEY_FILE, type PublicKey, readPublicKeys } from './public-keys.ts';
import { createReview, type Review } from './review.ts';
import { keyLines } from './show-key.ts';

export interface TrustOptions {
  /** Undefined: for all images. */
  readonly prefix: string | undefined;
  /** Nobody is asked. */
  readonly skipReview: boolean;
  readonly allowHttp: boolean;
  /** Whoever named the places of the keys is as good as HTTPS: the user, or a page that came over it. */
  readonly overHttps: boolean;
  /** What allows plain HTTP, for the message that it is not allowed. */
  readonly httpFlag: string;
  /** Where what is said goes: standard output, unless something else is expected there. */
  readonly output: 'stdout' | 'stderr';
}

/** Where the pages about a name say that the keys for it are. @throws {CliError} ERR_RKT_CLI_DISCOVERY */
export function discoverKeys(session: Session, name: string, allowHttp: boolean): Promise<Discovered<string>> {
  const pick = (tags: Parameters<typeof publicKeyLocations>[0]) => publicKeyLocations(tags, name);
  const urlsOf = (location: string) => [location];
  return discoverTags(session, { name, tag: 'ac-discovery-pubkeys', pick, urlsOf, allowHttp });
}

/**
 * Shows the keys of files and URLs and, where somebody says yes to them, keeps them as trusted. All keys of a file are shown
 * before the question about it.
 * @throws {CliError} ERR_RKT_CLI_KEY_INVALID, ERR_RKT_CLI_FILE, ERR_RKT_CLI_DOWNLOAD
 */
export async function trustKeys(session: Session, locations: readonly string[], options: TrustOptions): Promise<void> {
  const { stdout } = session.io;
  const show = options.output === 'stdout' ? (line: string) => stdout.write(`${line}\n`) : session.show;
  // Whoever is asked has to see what about, wherever standard output goes.
  const ask = stdout.isTTY ? show : session.show;
  await using review = createReview(session, ask);
  for (const location of locations) await trustFile(session, location, { ...options, review, show, ask });
}

interface Conversation {
  readonly review: Review;
  /** Tells what has come of it. */
  readonly show: (line: string) => void;
  /** Tells what there is to be asked about. */
  readonly ask: (line: string) => void;
}

async function trustFile(session: Session, location: string, options: TrustOptions & Conversation): Promise<void> {
  const { prefix, show, ask } = options;
  const keys = await readPublicKeys(await readLocation(session, location, options), location);
  session.say(`prefix: ${quote(prefix ?? '')}`);
  session.say(`key: ${quote(location)}`);
  const isTold = options.skipReview || (options.overHttps && isTrustedHttps(session, location));
  for (const line of keys.flatMap(keyLines)) (isTold ? show : ask)(line);
  if (!isTold && !(await isConfirmed(options.review, prefix))) {
    session.say(`not trusting ${quote(location)}`);
    return;
  }
  const how = isTold ? 'without' : 'after';
  show(`Trusting ${quote(location)} for prefix ${quote(prefix ?? '')} ${how} fingerprint review.`);
  for (const path of await addAll(session, keys, prefix)) {
    show(
      prefix === undefined
        ? `Added root key at ${quote(path)}`
        : `Added key for prefix ${quote(prefix)} at ${quote(path)}`,
    );
  }
}

async function addAll(
  session: Session,
  keys: readonly PublicKey[],
  prefix: string | undefined,
): Promise<readonly string[]> {
  const keystore = openKeystore(session.globals.keyDirs);
  const paths: string[] = [];
  for (const key of keys) paths.push(await keystore.add(key, prefix));
  return paths;
}

/** With certificates that nobody has looked at, HTTPS says nothing. */
function isTrustedHttps({ globals }: Session, location: string): boolean {
  return globals.trustHttpsKeys && !globals.insecure.has('tls') && location.startsWith('https://');
}

async function isConfirmed(review: Review, prefix: string | undefined): Promise<boolean> {
  if (review.isPossible) return await review.confirm('Are you sure you want to trust this key (yes/no)?');
  const message = 'error reviewing key: unable to ask user to review fingerprint due to lack of tty';
  const command = prefix === undefined ? 'rkt trust --root FILE' : `rkt trust --prefix=${prefix}`;
  throw new CliError('ERR_RKT_CLI_KEY_INVALID', message, {
    hint: `run '${command}' on a terminal, or add --skip-fingerprint-review to it if you know the key`,
  });
}

async function readLocation(session: Session, location: string, options: TrustOptions): Promise<Uint8Array> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) {
    if (!URL.canParse(location)) throw new CliError('ERR_RKT_CLI_USAGE', `${quote(location)} is no URL`);
    const downloads = await session.downloads();
    const { allowHttp, httpFlag } = options;
    const { signal } = session.interrupts;
    const url = new URL(location);
    const answer = await downloads.getDocument(url, { signal, allowHttp, httpFlag, maxBytes: LARGEST_KEY_FILE });
    return answer.bytes;
  }
  return readSmallFile(location, LARGEST_KEY_FILE);
}
