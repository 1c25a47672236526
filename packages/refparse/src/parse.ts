// SPDX-License-Identifier: Apache-2.0
import { isLower, isUpper, skipWhile } from './characters.ts';
import { type Digest, type DigestAlgorithm, type DigestOptions, parseDigest } from './digest.ts';
import { domainFault, looksLikeDomain } from './domain.ts';
import { isReferenceSyntaxError, quote, type ReferenceErrorCode, ReferenceSyntaxError } from './errors.ts';
import { isHexId, MAX_PATH, MAX_TAG, pathFault, tagFault } from './grammar.ts';
import type { Reference } from './reference.ts';

/** How to read what a reference leaves out. */
export interface ParseOptions<A extends string = DigestAlgorithm> extends DigestOptions<A> {
  /**
   * `docker` fills in the domain, `library/` and the tag as Docker does; `canonical` accepts only names that `docker`
   * leaves as they are, and adds no tag; `strict` wants the domain written, changes and adds nothing.
   * @default 'docker'
   */
  readonly mode?: 'docker' | 'canonical' | 'strict';
  /**
   * Domain of a reference without one, in `docker` mode; a host as it would be written in a reference. `library/` is
   * added for `docker.io` only.
   * @default 'docker.io'
   */
  readonly defaultDomain?: string;
  /**
   * Tag of a reference with neither tag nor digest; false for none.
   * @default 'latest' in `docker` mode, false in the others
   */
  readonly defaultTag?: string | false;
}

const HUB = 'docker.io';
/** How Docker Hub is written in old configurations; hosts are compared as written, as Docker does. */
const HUB_ALIAS = 'index.docker.io';
const OFFICIAL = 'library/';
/** Domain, path, tag and the longest digest together stay below this. */
const MAX_INPUT = 1024;

/**
 * Reads an image reference: `[domain/]path[:tag][@digest]`, the grammar of the distribution project with Docker's
 * normalisation. Linear in the length of the input, which is capped at 1024 characters.
 *
 * @example
 * parseReference('nginx');                    // docker.io/library/nginx, tag latest
 * parseReference('quay.io/zanui/nginx:1.2');  // quay.io, zanui/nginx, tag 1.2
 *
 * @throws {ReferenceSyntaxError} any ERR_RKT_REFPARSE_* code but PATTERN_INVALID and ARGUMENT_INVALID; of a default
 * domain or tag that is none, DOMAIN_INVALID and TAG_INVALID
 */
export function parseReference<A extends string = DigestAlgorithm>(
  input: string,
  options: ParseOptions<A> = {},
): Reference<A> {
  if (input.length === 0) refuse('ERR_RKT_REFPARSE_EMPTY', 'it is empty', { input, offset: 0 });
  if (input.length > MAX_INPUT) {
    refuse('ERR_RKT_REFPARSE_TOO_LONG', `longer than ${MAX_INPUT} characters`, { input, offset: MAX_INPUT });
  }
  const at = input.indexOf('@');
  const digest = at < 0 ? undefined : readDigest(input, at + 1, options);
  const split = splitDomain(at < 0 ? input : input.slice(0, at), input, options);
  const { path: written, tag } = readPathAndTag(split.rest, split.restOffset, input);
  const path =
    split.domain === HUB && options.mode !== 'strict' && !written.includes('/') ? OFFICIAL + written : written;
  if (path.length > MAX_PATH) {
    refuse('ERR_RKT_REFPARSE_PATH_TOO_LONG', `its path is longer than ${MAX_PATH} characters`, {
      input,
      offset: split.restOffset,
    });
  }
  if (options.mode === 'canonical' && !input.startsWith(`${split.domain}/${path}`)) {
    const full = quote(`${split.domain}/${path}`);
    refuse('ERR_RKT_REFPARSE_NOT_CANONICAL', `written in full its name is ${full}`, { input, offset: 0 });
  }
  return { domain: split.domain, path, tag: tag ?? (digest === undefined ? defaultTag(options) : undefined), digest };
}

/** `parseReference`, with undefined instead of a ReferenceSyntaxError. */
export function tryParseReference<A extends string = DigestAlgorithm>(
  input: string,
  options: ParseOptions<A> = {},
): Reference<A> | undefined {
  try {
    return parseReference(input, options);
  } catch (error) {
    if (isReferenceSyntaxError(error)) return undefined;
    throw error;
  }
}

interface Place {
  readonly input: string;
  readonly offset: number;
}

type Defaults = Pick<ParseOptions, 'mode' | 'defaultDomain' | 'defaultTag'>;

interface DomainSplit {
  readonly domain: string;
  readonly rest: string;
  readonly restOffset: number;
}

function splitDomain(name: string, input: string, options: Defaults): DomainSplit {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  if (slash < 0 || !looksLikeDomain(first)) return withoutDomain(name, input, options);
  const fault = domainFault(first);
  if (fault !== undefined) {
    refuse('ERR_RKT_REFPARSE_DOMAIN_INVALID', domainReason(name, first, fault), { input, offset: fault });
  }
  const alias = options.mode !== 'strict' && first === HUB_ALIAS;
  return { domain: alias ? HUB : first, rest: name.slice(slash + 1), restOffset: slash + 1 };
}

function domainReason(name: string, domain: string, fault: number): string {
  const colon = domain.indexOf(':', domain.lastIndexOf(']') + 1);
  if (colon === domain.length - 1 && skipWhile(domain, 0, isLower) === colon && name.startsWith(`${domain}//`)) {
    return `a reference has no scheme: leave out ${quote(`${domain}//`)}`;
  }
  const reason = `${quote(domain)} is no host[:port]`;
  const isOpen = domain.startsWith('[') && !domain.includes(']');
  if (colon >= 0 && fault > colon && !isOpen) return `${reason}: a port is a number from 1 to 65535`;
  return domain.startsWith('[')
    ? `${reason}: expected an IPv6 address in brackets`
    : `${reason}: ${unexpected(domain, fault)}`;
}

/** What is at a place where the grammar wants something else. */
function unexpected(text: string, at: number): string {
  if (at >= text.length) return `nothing follows ${quote(text.slice(-1))}`;
  return `unexpected ${quote(String.fromCodePoint(text.codePointAt(at) ?? 0))}`;
}

function withoutDomain(name: string, input: string, options: Defaults): DomainSplit {
  if (options.mode === 'strict') {
    refuse('ERR_RKT_REFPARSE_DOMAIN_MISSING', 'the registry must be written out', { input, offset: 0 });
  }
  // With a digest there is nothing to confuse it with: Docker's grammar looks at the whole input.
  if (name === input && isHexId(name)) {
    refuse('ERR_RKT_REFPARSE_NAME_IS_HEX_ID', '64 hex digits are an image id, not a name', { input, offset: 0 });
  }
  return { domain: defaultDomain(options), rest: name, restOffset: 0 };
}

/** What is not told from a path component when it is written out would not survive formatting. */
function defaultDomain({ defaultDomain: domain = HUB }: Defaults): string {
  const fault = looksLikeDomain(domain) ? domainFault(domain) : 0;
  if (fault === undefined) return domain === HUB_ALIAS ? HUB : domain;
  const text = `invalid default domain ${quote(domain)}`;
  const reason = 'no host[:port]';
  throw new ReferenceSyntaxError('ERR_RKT_REFPARSE_DOMAIN_INVALID', text, { input: domain, offset: fault, reason });
}

function readPathAndTag(rest: string, restOffset: number, input: string): { path: string; tag: string | undefined } {
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const fault = pathFault(path);
  if (fault !== undefined) refusePath(path, fault, { input, offset: restOffset + fault });
  if (colon < 0) return { path, tag: undefined };
  const tag = rest.slice(colon + 1);
  const bad = tagFault(tag);
  if (bad !== undefined) {
    refuse('ERR_RKT_REFPARSE_TAG_INVALID', tagReason(tag, bad), { input, offset: restOffset + colon + 1 + bad });
  }
  return { path, tag };
}

function tagReason(tag: string, fault: number): string {
  if (tag === '') return 'no tag follows the colon';
  if (fault === MAX_TAG) return `its tag is longer than ${MAX_TAG} characters`;
  return `${quote(tag)} is no tag: ${unexpected(tag, fault)}`;
}

function refusePath(path: string, fault: number, place: Place): never {
  if (isUpper(path.charCodeAt(fault))) {
    // Of these letters alone: some others become them, too, and would be another name.
    const lower = path.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    const written = pathFault(lower) === undefined ? `, ${quote(lower)}` : '';
    refuse('ERR_RKT_REFPARSE_PATH_UPPERCASE', `the repository name must be lower case${written}`, place);
  }
  refuse('ERR_RKT_REFPARSE_PATH_INVALID', pathReason(path, fault), place);
}

function pathReason(path: string, fault: number): string {
  if (path === '') return 'it has no repository name';
  if (path.includes(':')) return 'a colon in the middle of its path';
  return `${quote(path)} is no repository name: ${unexpected(path, fault)}`;
}

function readDigest<A extends string>(input: string, start: number, options: DigestOptions<A>): Digest<A> {
  try {
    return parseDigest(input.slice(start), options);
  } catch (error) {
    if (!isReferenceSyntaxError(error)) throw error;
    const what = input.includes(':', start) ? 'its digest' : 'what follows the @ is no digest';
    return refuse(error.code, `${what}: ${error.reason}`, { input, offset: start + error.offset });
  }
}

function defaultTag(options: Defaults): string | undefined {
  const inMode = options.mode === undefined || options.mode === 'docker' ? 'latest' : false;
  const { defaultTag: tag = inMode } = options;
  if (tag === false) return undefined;
  const offset = tagFault(tag);
  if (offset === undefined) return tag;
  const text = `invalid default tag ${quote(tag)}`;
  throw new ReferenceSyntaxError('ERR_RKT_REFPARSE_TAG_INVALID', text, { input: tag, offset, reason: 'not a tag' });
}

function refuse(code: ReferenceErrorCode, reason: string, place: Place): never {
  throw new ReferenceSyntaxError(code, `invalid image reference ${quote(place.input)}: ${reason}`, {
    ...place,
    reason,
  });
}
