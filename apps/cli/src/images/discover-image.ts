// SPDX-License-Identifier: Apache-2.0
import {
  type Dependency,
  type DiscoverableImage,
  discoveryNames,
  type ImageLocation,
  type ImageManifest,
  imageLocations,
  toAppcPlatform,
} from '@rkt/appc';
import type { ImageRecord, RemoteRecord, Store } from '@rkt/store';
import { discoverTags } from '../downloads/discover-tags.ts';
import { CliError, codeOf } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { DetachedSignature } from '../trust/detached-signature.ts';
import { openKeystore } from '../trust/keystore.ts';
import { discoverKeys, trustKeys } from '../trust/trust-keys.ts';
import type { Session } from '../wiring/session.ts';
import { requireIssuer } from './aci-signature.ts';
import { fetchAci } from './fetch-aci.ts';
import { storedRemote } from './fetch-docker-image.ts';
import type { ObtainOptions } from './obtain-options.ts';
import { ownPlatform } from './remote-name.ts';
import { urlRemoteName } from './url-remote-name.ts';

/** An image by name, as a user or a manifest asks for it. */
export interface NamedAci {
  readonly name: string;
  /** Labels that were asked for. */
  readonly labels: Readonly<Record<string, string>>;
}

/** More than any image has: one that depends on ever another one would be followed for ever. */
const DEEPEST = 32;

/** Whether a name has pages that could be asked. */
export function isDiscoverable(name: string): boolean {
  return discoveryNames(name).length > 0;
}

/** What the store remembers of an image that was discovered under this name, with these labels. */
export function discoveredRemote(
  store: Store,
  aci: NamedAci,
  options: ObtainOptions,
): Promise<RemoteRecord | undefined> {
  return storedRemote(store, remoteName(wantedImage(aci, options)));
}

/**
 * Discovers an ACI and fetches it. Labels that are not asked for are those of the platform, and `latest` for the version; what
 * is fetched has to be called so, but need not say for which platform it is.
 * @throws {CliError} ERR_RKT_CLI_DISCOVERY, and as {@link fetchAci}
 */
export async function discoverImage(session: Session, aci: NamedAci, options: ObtainOptions): Promise<ImageRecord> {
  const wanted = wantedImage(aci, options);
  const allowHttp = session.globals.insecure.has('http');
  session.debug(`searching for app image ${wanted.name}`);
  const pick = (tags: Parameters<typeof imageLocations>[0]) => imageLocations(tags, wanted);
  const urlsOf = ({ image, signature }: ImageLocation) => [image, signature];
  const { found } = await discoverTags(session, { name: wanted.name, tag: 'ac-discovery', pick, urlsOf, allowHttp });
  const { image, url } = await fetchFirst(session, found, {
    ...options,
    check: (manifest) => requireSame(manifest, aci, wanted),
    name: wanted.name,
  });
  const store = await session.store();
  const digest = urlRemoteName(new URL(url));
  await store.putRemote({ name: remoteName(wanted), imageId: image.id, digest, checkedAt: session.io.now() });
  return image;
}

/**
 * The same for a dependency. False for one that has no page to be asked, or that depends on itself in the end.
 * @throws as {@link discoverImage}
 */
export async function fetchDependency(
  session: Session,
  { imageName, labels = [] }: Dependency,
  options: ObtainOptions,
): Promise<boolean> {
  const { dependents = [] } = options;
  if (!isDiscoverable(imageName) || dependents.includes(imageName) || dependents.length > DEEPEST) return false;
  const named = Object.fromEntries(labels.map(({ name, value }) => [name, value]));
  await discoverImage(session, { name: imageName, labels: named }, { ...options, signatureFile: undefined });
  return true;
}

function wantedImage({ name, labels }: NamedAci, { platform }: ObtainOptions): DiscoverableImage {
  return { name, labels: { ...toAppcPlatform(platform ?? ownPlatform()), ...labels } };
}

/** The same for every order of labels. */
function remoteName({ name, labels }: DiscoverableImage): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `appc:${name}?${new URLSearchParams(sorted)}`;
}

interface FetchFirst extends ObtainOptions {
  readonly name: string;
  readonly check: (manifest: ImageManifest) => void;
}

/** One after the other, for as long as servers have nothing; what is wrong with an image is not made good by another server. */
async function fetchFirst(
  session: Session,
  locations: readonly ImageLocation[],
  { name, check, ...options }: FetchFirst,
): Promise<Fetched> {
  // Whether it is in the store under its name has been asked.
  const updating: ObtainOptions = { ...options, pullPolicy: 'update' };
  const onSignature = async (read: DetachedSignature | undefined): Promise<void> => {
    await fetchKeys(session, name, read);
    if (read !== undefined) await requireIssuer(session, name, read);
  };
  let first: Error | undefined;
  for (const { image: url, signature } of locations) {
    const remote = { url: new URL(url), signatureUrl: new URL(signature), check, onSignature };
    try {
      return { image: await fetchAci(session, remote, updating), url };
    } catch (error) {
      if (!isOfServer(error)) throw error;
      first ??= error;
      if (locations.length > 1) session.say(error.message);
    }
  }
  throw first ?? new TypeError('there is nowhere to fetch it from');
}

interface Fetched {
  readonly image: ImageRecord;
  readonly url: string;
}

function isOfServer(error: unknown): error is Error {
  const code = codeOf(error) ?? '';
  return code === 'ERR_RKT_CLI_DOWNLOAD' || code.startsWith('ERR_RKT_REGISTRY_');
}

/** appc spec 0.8.11, "Validation". */
function requireSame({ name, labels = [] }: ImageManifest, asked: NamedAci, wanted: DiscoverableImage): void {
  const differ = (what: string): CliError =>
    new CliError('ERR_RKT_CLI_DISCOVERY', `the image that was discovered is another one: ${what}`);
  if (name !== wanted.name) throw differ(`${quote(wanted.name)} expected but ${quote(name)} found`);
  for (const [label, value] of Object.entries(wanted.labels)) {
    const has = labels.find((each) => each.name === label)?.value;
    if (has === value || (has === undefined && asked.labels[label] === undefined)) continue;
    throw differ(
      `label ${quote(label)} is ${has === undefined ? 'not there' : quote(has)}, asked for was ${quote(value)}`,
    );
  }
}

/**
 * Where nobody is trusted yet for images of this name, its keys are discovered, too. That this fails is told, and no more: the
 * signature will show.
 */
async function fetchKeys(session: Session, name: string, signature: DetachedSignature | undefined): Promise<void> {
  const { insecure } = session.globals;
  const keystore = openKeystore(session.globals.keyDirs);
  if (signature?.isIssuedBy(await keystore.keysFor(name)) === true) return;
  if (keystore.hasKeysFor(name)) {
    session.say(`keys already exist for prefix ${quote(name)}, not fetching again`);
    return;
  }
  // Over connections that anybody may have read and changed, keys say nothing, unless that is asked for.
  if (insecure.has('tls') && !insecure.has('pubkey')) return;
  const allowHttp = insecure.has('pubkey') && insecure.has('http');
  if (insecure.has('pubkey')) session.say('signing keys may be downloaded from an insecure connection');
  try {
    const { found, overHttps } = await discoverKeys(session, name, allowHttp);
    const httpFlag = '--insecure-options=http,pubkey';
    const options = { prefix: name, skipReview: false, overHttps, allowHttp, httpFlag } as const;
    await trustKeys(session, found, { ...options, output: 'stderr' });
  } catch (error) {
    session.interrupts.signal.throwIfAborted();
    if (!(error instanceof Error) || codeOf(error) === undefined) throw error;
    session.say(`error adding keys: ${error.message}`);
  }
}
