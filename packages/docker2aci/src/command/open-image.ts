// SPDX-License-Identifier: Apache-2.0
import { basename, resolve } from 'node:path';
import { parseReference, type Reference, tryParseReference } from '@rkt/refparse';
import {
  authFileKeychain,
  chainKeychains,
  createRegistry,
  defaultHost,
  dockerConfigKeychain,
  type Image,
  imageSource,
  proxyFromEnvironment,
  type Registry,
  type RegistryHost,
  readSystemCertificates,
  undiciTransport,
} from '@rkt/registry';
import type { ImageArchive } from '../archive/image-archive.ts';
import { openImageFile } from '../archive/open-image-file.ts';
import type { ConvertibleImage } from '../convert-image.ts';
import { ConversionError, quote } from '../errors.ts';
import { diffIdOf } from '../layers/diff-id-of.ts';
import type { CommandArguments } from './arguments.ts';
import type { CommandIo } from './io.ts';

const REMOTE = 'docker://';
const LOCAL = 'file://';
const CANDIDATES_SHOWN = 20;

/** An image to be converted, and what is open as long as it is. */
export interface OpenImage extends AsyncDisposable {
  readonly image: Image;
  /** Whether it is from a registry. */
  readonly isRemote: boolean;
}

/**
 * The image a command line names: `docker://REFERENCE`, or a file or directory.
 * @throws ReferenceSyntaxError, RegistryError, ConversionError
 */
export async function openImage(operand: string, args: CommandArguments, io: CommandIo): Promise<OpenImage> {
  if (!operand.startsWith(REMOTE)) {
    const path = operand.startsWith(LOCAL) ? operand.slice(LOCAL.length) : operand;
    const archive = await openImageFile(path, { signal: io.signal });
    const image = await archive.open(archiveReference(path, archive, args.image), { signal: io.signal });
    return { image: inFile(image), isRemote: false, [Symbol.asyncDispose]: async () => undefined };
  }
  const reference = parseReference(operand.slice(REMOTE.length));
  const { registry, close } = openRegistry(args, io);
  try {
    const image = await imageSource(registry, { diffIdOf }).open(reference, { signal: io.signal });
    return { image, isRemote: true, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Of an image in a file the original knows no registry: its manifest begins with the repository. Nor does it know of an origin
 * that the file states.
 */
function inFile({ origin: _, ...image }: ConvertibleImage): Image {
  const { domain } = image.reference;
  return domain === 'docker.io' || domain === 'localhost'
    ? { ...image, reference: { ...image.reference, domain: '' } }
    : image;
}

function archiveReference(path: string, archive: ImageArchive, wanted: string): Reference {
  if (wanted !== '') return parseReference(wanted);
  const [only, ...others] = archive.images;
  if (others.length > 0) throw severalImages(path, archive);
  const named = only?.names.map((name) => tryParseReference(name)).find((reference) => reference?.tag !== undefined);
  const isTag = only?.names.every((name) => !/[:/]/.test(name)) === true;
  return (isTag ? undefined : named) ?? fileReference(path, only?.names[0]);
}

function fileReference(path: string, tag = 'latest'): Reference {
  const base = basename(resolve(path))
    .toLowerCase()
    .replace(/\.[a-z.]+$/, '');
  const tagged = tryParseReference(`localhost/library/${base}:${tag}`, { mode: 'strict' });
  return tagged ?? { domain: 'localhost', path: 'library/image', tag: 'latest', digest: undefined };
}

function severalImages(path: string, { images }: ImageArchive): ConversionError {
  const names = images.slice(0, CANDIDATES_SHOWN).map((image) => quote(image.names[0] ?? 'one without a name'));
  const text = `${path} has several images, choose one with -image: ${names.join(', ')}`;
  return new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND', text, { path });
}

interface OpenRegistry {
  readonly registry: Registry;
  readonly close: () => Promise<void>;
}

function openRegistry(args: CommandArguments, { env, uid, warn }: CommandIo): OpenRegistry {
  const proxy = proxyFromEnvironment(env);
  const transport = undiciTransport({
    ca: () => readSystemCertificates(env['SSL_CERT_FILE'] || undefined),
    ...(proxy === undefined ? {} : { proxy }),
  });
  const files = { env, uid, onExposed: (path: string) => warn(`every user can read the passwords in ${path}`) };
  const registry = createRegistry({
    transport: transport.send,
    keychain: chainKeychains(authFileKeychain(files), dockerConfigKeychain(files)),
    hosts: (domain) => hostsOf(defaultHost(domain), args),
  });
  const close = async (): Promise<void> => {
    await registry[Symbol.asyncDispose]();
    await transport.close();
  };
  return { registry, close };
}

/** HTTPS first, also where plain HTTP is allowed. Loopback is plain HTTP already. */
function hostsOf(host: RegistryHost, args: CommandArguments): readonly RegistryHost[] {
  if (host.origin.startsWith('http:')) return [host];
  const secure: RegistryHost = args.insecureSkipVerify ? { ...host, insecure: 'skip-tls-verify' } : host;
  if (!args.insecureAllowHttp) return [secure];
  return [secure, { ...host, origin: host.origin.replace(/^https:/, 'http:'), insecure: 'http' }];
}
