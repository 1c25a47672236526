// SPDX-License-Identifier: Apache-2.0
import { isAlphanumeric, isLowerAlphanumeric, isLowerHex, skipWhile } from './characters.ts';
import { type Digest, digestFault, isDigest, SHA2 } from './digest.ts';
import { isReferenceSyntaxError, quote, ReferenceSyntaxError } from './errors.ts';
import { tagFault } from './grammar.ts';
import { parseReference, tryParseReference } from './parse.ts';
import type { Reference } from './reference.ts';

/** What an image named on a command line is. `original` is the argument as typed. */
export type ImageArgument =
  | { readonly kind: 'docker'; readonly reference: Reference; readonly original: string }
  /** `sha512-` and 2 to 128 hex digits. */
  | { readonly kind: 'image-id'; readonly prefix: string; readonly original: string }
  | { readonly kind: 'path'; readonly path: string; readonly original: string }
  /** `http:` and `https:` URLs of an `.aci`, and `file:` URLs. */
  | { readonly kind: 'url'; readonly url: string; readonly original: string }
  | {
      readonly kind: 'oci' | 'oci-archive';
      readonly path: string;
      readonly selector: LayoutSelector | undefined;
      readonly original: string;
    }
  | {
      readonly kind: 'docker-archive';
      readonly path: string;
      /** Without a digest: archives name images by tag. */
      readonly reference: Reference | undefined;
      readonly original: string;
    }
  | {
      /** A tar of files alone. */
      readonly kind: 'rootfs';
      readonly path: string;
      /** What the image is to be called; without a digest. */
      readonly reference: Reference | undefined;
      readonly original: string;
    }
  | {
      readonly kind: 'appc-name';
      readonly name: string;
      readonly labels: readonly AppcLabel[];
      readonly original: string;
    };

/** Which image of an OCI layout is meant. */
export type LayoutSelector =
  | { readonly kind: 'tag'; readonly tag: string }
  /** More than a tag, `docker.io/library/alpine:3.20` for example: what skopeo, podman and buildah write. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'digest'; readonly digest: Digest };

/** A label of an appc name; `name:1.0` is the label `version`. */
export interface AppcLabel {
  readonly name: string;
  readonly value: string;
}

const MAX_ARGUMENT = 4096;
const MIN_ID_DIGITS = 2;
const MAX_ID_DIGITS = 128;
const SCHEMES = 'docker, oci, oci-archive, docker-archive, rootfs, http, https or file';
const DOCKER_SYNTAX = 'docker://[REGISTRY_HOST[:REGISTRY_PORT]/]IMAGE_NAME[:TAG]';

/**
 * Tells what kind of image a command-line argument names, by its spelling alone: the file system is not consulted, and
 * what fits no form is refused, not guessed.
 *
 * @example
 * parseImageArgument('docker://redis');       // kind docker
 * parseImageArgument('sha512-96323da39362');  // kind image-id
 * parseImageArgument('./app.aci');            // kind path
 *
 * @throws {ReferenceSyntaxError} ERR_RKT_REFPARSE_ARGUMENT_INVALID, and for docker arguments the codes of parseReference
 */
export function parseImageArgument(input: string): ImageArgument {
  if (input.length === 0) refuse(input, 'it is empty', 0);
  if (input.length > MAX_ARGUMENT) refuse(input, `longer than ${MAX_ARGUMENT} characters`, MAX_ARGUMENT);
  const nul = input.indexOf('\0');
  if (nul >= 0) refuse(input, 'it contains a NUL character', nul);
  if (input.startsWith('sha512-')) return imageId(input);
  if (isPath(input)) return { kind: 'path', path: input, original: input };
  return byScheme(input) ?? appcName(input);
}

function imageId(input: string): ImageArgument {
  const start = 'sha512-'.length;
  const end = skipWhile(input, start, isLowerHex);
  if (end !== input.length) refuse(input, 'an image id is sha512- and lower-case hex digits', end);
  const digits = end - start;
  if (digits < MIN_ID_DIGITS) refuse(input, `an image id needs at least ${MIN_ID_DIGITS} hex digits`, end);
  if (digits > MAX_ID_DIGITS) {
    refuse(input, `an image id has at most ${MAX_ID_DIGITS} hex digits`, start + MAX_ID_DIGITS);
  }
  return { kind: 'image-id', prefix: input, original: input };
}

function isPath(input: string): boolean {
  if (input.startsWith('/') || input.startsWith('./') || input.startsWith('../')) return true;
  return input.endsWith('.aci') && !input.includes(':');
}

function byScheme(input: string): ImageArgument | undefined {
  const colon = input.indexOf(':');
  const scheme = colon < 0 ? '' : input.slice(0, colon);
  switch (scheme) {
    case 'docker':
      return docker(input);
    case 'oci':
    case 'oci-archive':
      return layout(scheme, input);
    case 'docker-archive':
      return { kind: scheme, ...namedFile(scheme, input), original: input };
    case 'rootfs':
      return { kind: scheme, ...namedFile(scheme, input), original: input };
    case 'http':
    case 'https':
    case 'file':
      return url(scheme, input);
    case 'cimd':
      return refuse(input, 'cimd: distributions are not supported', 0);
    default:
      if (!input.startsWith('://', colon)) return undefined;
      return refuse(input, `unknown scheme ${quote(scheme)}: expected ${SCHEMES}`, 0);
  }
}

function docker(input: string): ImageArgument {
  const start = input.startsWith('docker://') ? 'docker://'.length : 'docker:'.length;
  try {
    return { kind: 'docker', reference: parseReference(input.slice(start)), original: input };
  } catch (error) {
    if (!isReferenceSyntaxError(error)) throw error;
    const { reason } = error;
    const message = `invalid docker URL ${quote(input)}; expected syntax is "${DOCKER_SYNTAX}": ${reason}`;
    throw new ReferenceSyntaxError(error.code, message, { input, offset: start + error.offset, reason });
  }
}

/**
 * The first colon after the scheme ends the path, as in skopeo and podman, unless it is the colon of a digest after `@`.
 * What begins as a digest is one or refused, never a tag: `oci:dir@sha256:ab` does not mean the directory `dir@sha256`.
 */
function layout(kind: 'oci' | 'oci-archive', input: string): ImageArgument {
  const start = kind.length + 1;
  const { path, rest, colon } = splitPath(input, start);
  const at = path.lastIndexOf('@');
  if (at >= 0 && rest !== undefined) {
    const text = `${path.slice(at + 1)}:${rest}`;
    const fault = digestFault(text);
    const meant = DIGEST_ALGORITHMS.has(path.slice(at + 1)) || fault?.code !== 'ERR_RKT_REFPARSE_DIGEST_INVALID';
    if (meant && fault !== undefined) refuse(input, `its digest: ${fault.reason}`, start + at + 1 + fault.offset);
    if (at === 0 && meant) refuse(input, `${kind}: needs a path`, start);
    if (isDigest(text)) {
      return { kind, path: path.slice(0, at), selector: { kind: 'digest', digest: text }, original: input };
    }
  }
  if (rest === undefined) return { kind, path, selector: undefined, original: input };
  if (rest.startsWith('@'))
    refuse(input, 'a digest follows the path without a colon; an index is not supported', colon + 1);
  if (tagFault(rest) === undefined) return { kind, path, selector: { kind: 'tag', tag: rest }, original: input };
  const bad = layoutNameFault(rest);
  if (bad !== undefined) refuse(input, `${quote(rest)} is neither a tag nor a name of a layout`, colon + 1 + bad);
  return { kind, path, selector: { kind: 'name', name: rest }, original: input };
}

/**
 * OCI image spec, "Pre-Defined Annotation Keys", `org.opencontainers.image.ref.name`; without `@`, as an image is chosen by its
 * digest alone.
 */
function layoutNameFault(name: string): number | undefined {
  if (!isAlphanumeric(name.charCodeAt(0))) return 0;
  const end = skipWhile(name, 0, (unit) => isAlphanumeric(unit) || NAME_SEPARATORS.includes(String.fromCharCode(unit)));
  if (end < name.length) return end;
  return isAlphanumeric(name.charCodeAt(end - 1)) ? undefined : end - 1;
}

const NAME_SEPARATORS = '-._:+/';

const DIGEST_ALGORITHMS: ReadonlySet<string> = new Set(Object.keys(SHA2.hexLengths));

interface NamedFile {
  readonly path: string;
  readonly reference: Reference | undefined;
}

function namedFile(kind: 'docker-archive' | 'rootfs', input: string): NamedFile {
  const { path, rest, colon } = splitPath(input, kind.length + 1);
  if (rest === undefined) return { path, reference: undefined };
  if (DIGEST_ALGORITHMS.has(path.slice(path.lastIndexOf('@') + 1)) && path.includes('@')) {
    refuse(input, 'images of an archive are named by tag, not by digest', colon);
  }
  if (rest.startsWith('@')) refuse(input, 'choosing an image of an archive by its index is not supported', colon + 1);
  const digest = rest.indexOf('@');
  if (digest >= 0) refuse(input, 'images of an archive are named by tag, not by digest', colon + 1 + digest);
  try {
    return { path, reference: parseReference(rest) };
  } catch (error) {
    if (!isReferenceSyntaxError(error)) throw error;
    return refuse(input, `${quote(rest)} is no reference: ${error.reason}`, colon + 1 + error.offset);
  }
}

interface SplitPath {
  readonly path: string;
  /** What follows the first colon, which is at `colon`. */
  readonly rest: string | undefined;
  readonly colon: number;
}

function splitPath(input: string, start: number): SplitPath {
  const colon = input.indexOf(':', start);
  const path = colon < 0 ? input.slice(start) : input.slice(start, colon);
  if (path === '') refuse(input, `${input.slice(0, start)} needs a path`, start);
  if (colon === input.length - 1) refuse(input, 'nothing follows the colon after the path', input.length);
  return { path, rest: colon < 0 ? undefined : input.slice(colon + 1), colon };
}

function url(scheme: string, input: string): ImageArgument {
  const start = scheme.length + 1;
  if (!input.startsWith('//', start)) refuse(input, `expected ${scheme}://`, start);
  const end = skipWhile(input, start, (unit) => unit !== 0x3f && unit !== 0x23);
  const blank = skipWhile(input, 0, (unit) => unit > 0x20 && unit !== 0x7f);
  if (blank < input.length) refuse(input, 'a URL has no blanks or control characters', blank);
  if (!input.slice(0, end).endsWith('.aci')) refuse(input, 'a URL must name an .aci file', end);
  return { kind: 'url', url: input, original: input };
}

/** appc spec, "AC Identifier Type", then `:version` or `,label=value` parts. */
function appcName(input: string): ImageArgument {
  const [head = '', ...pairs] = input.split(',');
  const colon = head.indexOf(':');
  const name = colon < 0 ? head : head.slice(0, colon);
  const bad = identifierFault(name);
  if (DIGEST_ALGORITHMS.has(name) && colon >= 0) refuse(input, 'a digest names no image without a repository', 0);
  if (bad !== undefined)
    refuse(input, `${quote(name)} is neither a known form nor an appc name${orDocker(input)}`, bad);
  const labels: AppcLabel[] = [];
  if (colon >= 0) labels.push(versionLabel(head, colon, input));
  let offset = head.length + 1;
  for (const pair of pairs) {
    labels.push(label(pair, offset, input));
    offset += pair.length + 1;
  }
  const names = new Set(labels.map((entry) => entry.name));
  if (names.size !== labels.length) refuse(input, 'a label is given twice', head.length);
  return { kind: 'appc-name', name, labels, original: input };
}

function versionLabel(head: string, colon: number, input: string): AppcLabel {
  const value = head.slice(colon + 1);
  if (value === '' || value.includes('/') || value.includes(':')) {
    const reason = `unknown scheme ${quote(head.slice(0, colon))}, or no version after the colon`;
    refuse(input, `${reason}${orDocker(input)}`, colon);
  }
  return { name: 'version', value };
}

/** How it would be written if a docker image was meant, where it could be one. */
function orDocker(input: string): string {
  return tryParseReference(input) === undefined ? '' : `; a docker image is written ${quote(`docker://${input}`)}`;
}

function label(pair: string, offset: number, input: string): AppcLabel {
  const equals = pair.indexOf('=');
  if (equals < 0) refuse(input, `expected label=value, got ${quote(pair)}`, offset);
  const name = pair.slice(0, equals);
  const bad = identifierFault(name);
  if (bad !== undefined) refuse(input, `${quote(name)} is no label name`, offset + bad);
  return { name, value: pair.slice(equals + 1) };
}

function identifierFault(name: string): number | undefined {
  let at = 0;
  for (;;) {
    const start = at;
    at = skipWhile(name, at, isLowerAlphanumeric);
    if (at === start) return start;
    if (at === name.length) return undefined;
    if (!'-._~/'.includes(name.charAt(at))) return at;
    at += 1;
  }
}

function refuse(input: string, reason: string, offset: number): never {
  const message = `invalid image ${quote(input)}: ${reason}`;
  throw new ReferenceSyntaxError('ERR_RKT_REFPARSE_ARGUMENT_INVALID', message, { input, offset, reason });
}
