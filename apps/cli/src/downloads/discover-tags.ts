// SPDX-License-Identifier: Apache-2.0
import { type DiscoveryTag, discoveryNames, parseDiscoveryTags } from '@rkt/appc';
import { isLocalAddress, isRegistryError } from '@rkt/registry';
import { CliError, hasCode } from '../errors.ts';
import { hintFor } from '../render/hints.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
import type { DownloadOptions } from './downloads.ts';

/** What is looked for on the pages about an image. */
export interface Sought<T> {
  readonly name: string;
  /** How the tags are called in messages. */
  readonly tag: 'ac-discovery' | 'ac-discovery-pubkeys';
  /** What a page says of it; nothing: the next page is asked. */
  readonly pick: (tags: readonly DiscoveryTag[]) => readonly T[];
  /** Where what was picked leads. */
  readonly urlsOf: (found: T) => readonly string[];
  /** Where there is no page over HTTPS, plain HTTP is tried. */
  readonly allowHttp: boolean;
}

/** What a page says: something, at least. */
export interface Discovered<T> {
  readonly found: readonly T[];
  /** Nobody on the way can have changed it. */
  readonly overHttps: boolean;
}

/** The tags are in the head of a page: what is behind its first MiB is not looked at. */
const LARGEST_PAGE = 1 << 20;

/**
 * Asks the page of a name, then those of its parents (appc spec 0.8.11, "App Container Image Discovery"), for the first one
 * that says something. What leads elsewhere than to the web, or from elsewhere to this machine, is as if nobody said it.
 * @throws {CliError} ERR_RKT_CLI_DISCOVERY when none does, or their host cannot be reached
 */
export async function discoverTags<T>(session: Session, sought: Sought<T>): Promise<Discovered<T>> {
  const { name, tag, pick, urlsOf } = sought;
  let first: Error | undefined;
  for (const page of discoveryNames(name)) {
    try {
      const { text, overHttps } = await readPage(session, page, sought.allowHttp);
      const found = pick(parseDiscoveryTags(text)).filter((each) => urlsOf(each).every((url) => mayLead(page, url)));
      if (found.length > 0) return { found, overHttps };
      first ??= new Error(`https://${page} says nothing of it`);
      session.debug(`no meta tag ${tag} for ${quote(name)} on ${page}`);
    } catch (error) {
      if (isRegistryError(error)) throw failure(session, name, error);
      if (!hasCode(error, 'ERR_RKT_CLI_DOWNLOAD')) throw error;
      session.debug(`meta tag ${tag} not found on ${page}: ${error.message}`);
      first ??= error;
    }
  }
  throw failure(session, name, first ?? new Error('it does not begin with the name of a host'));
}

/** A page is anybody's: neither files nor servers of this machine are its to name. */
function mayLead(page: string, location: string): boolean {
  if (!/^https?:\/\//i.test(location) || !URL.canParse(location)) return false;
  return !isLocalAddress(new URL(location)) || isLocalAddress(new URL(`https://${page}`));
}

interface Page {
  readonly text: string;
  readonly overHttps: boolean;
}

async function readPage(session: Session, page: string, allowHttp: boolean): Promise<Page> {
  const downloads = await session.downloads();
  const { signal } = session.interrupts;
  const options: DownloadOptions = { signal, allowHttp, httpFlag: '--insecure-options=http' };
  const read = async (scheme: 'https' | 'http'): Promise<Page> => {
    const url = new URL(`${scheme}://${page}?ac-discovery=1`);
    const { status, bytes } = await downloads.getDocument(url, {
      ...options,
      maxBytes: LARGEST_PAGE,
      cut: true,
      attempts: 1,
    });
    return { text: status === 200 ? Buffer.from(bytes).toString('utf8') : '', overHttps: scheme === 'https' };
  };
  try {
    return await read('https');
  } catch (error) {
    signal.throwIfAborted();
    if (!allowHttp) throw error;
    session.debug(`no page of ${page} over https: ${error instanceof Error ? error.message : String(error)}`);
    return await read('http');
  }
}

function failure(session: Session, name: string, cause: Error): CliError {
  const isTls = isRegistryError(cause) && cause.code === 'ERR_RKT_REGISTRY_TLS';
  const hint = isTls
    ? hintFor(cause.code, session.command, cause.origin === undefined ? {} : { origin: cause.origin })
    : undefined;
  return new CliError('ERR_RKT_CLI_DISCOVERY', `discovery failed for ${quote(name)}: ${cause.message}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}
