// SPDX-License-Identifier: Apache-2.0
import { type LayoutSelector, parseReference } from '@rkt/refparse';
import {
  type AbortOptions,
  authFileKeychain,
  chainKeychains,
  createRegistry,
  defaultHost,
  dockerConfigKeychain,
  type FileKeychainOptions,
  type Image,
  imageSource,
  proxyFromEnvironment,
  type Registry,
  type RegistryHost,
  readSystemCertificates,
  undiciTransport,
} from '@rkt/registry';
import { type ChosenImage, chooseImage } from '../archive/choose-image.ts';
import type { ImageArchive } from '../archive/image-archive.ts';
import { openImageFile } from '../archive/open-image-file.ts';
import type { ConvertibleImage } from '../convert-image.ts';
import { ConversionError, isConversionError } from '../errors.ts';
import { diffIdOf } from '../layers/diff-id-of.ts';
import type { CommandArguments } from './arguments.ts';
import { exposureWarning } from './exposure-warning.ts';
import type { CommandIo } from './io.ts';

const REMOTE = 'docker://';
const LOCAL = 'file://';

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
    const image = await openArchived(archive, { wanted: args.image, signal: io.signal });
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

interface Wanted extends AbortOptions {
  readonly wanted: string;
}

async function openArchived(archive: ImageArchive, { wanted, signal }: Wanted): Promise<ConvertibleImage> {
  const selector: LayoutSelector | undefined = wanted === '' ? undefined : { kind: 'name', name: wanted };
  const { image, references } = chosenImage(archive, selector);
  return await archive.open(references[0], { image, ...(signal === undefined ? {} : { signal }) });
}

function chosenImage(archive: ImageArchive, selector: LayoutSelector | undefined): ChosenImage {
  try {
    return chooseImage(archive, selector);
  } catch (error) {
    if (!isConversionError(error) || error.code !== 'ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_AMBIGUOUS') throw error;
    throw new ConversionError(error.code, `${error.message}; choose one with -image`, { cause: error });
  }
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
  const onExposed: FileKeychainOptions['onExposed'] = (path, exposure) => warn(exposureWarning(path, exposure));
  const files = { env, uid, onExposed };
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
