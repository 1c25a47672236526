// SPDX-License-Identifier: Apache-2.0
import { isAppcError, type NameValue, type PodManifest, parsePodManifest, type RuntimeApp } from '@rkt/appc';
import type { Lease, Store, StoredImage } from '@rkt/store';
import type { Arguments } from '../args/command.ts';
import { CliError, reasonOf, usageError } from '../errors.ts';
import { readSmallFile } from '../files/read-small-file.ts';
import { isNameFault } from '../images/name-fault.ts';
import { findStoredImage } from '../images/stored-image.ts';
import { quote } from '../render/quote.ts';
import { runtimeImage } from './runtime-image.ts';

const MAX_FILE_BYTES = 4 << 20;
const DOCKER_USER = 'appc.io/docker/user';

type JsonObject = Readonly<Record<string, unknown>>;

/** A pod manifest as somebody wrote it: what it leaves to its images is not there yet, and nothing else checked. */
export interface StatedManifest {
  readonly file: string;
  readonly value: JsonObject;
}

/** What the manifest says itself, or what comes with a fetch; flags of images are told by their scope. */
const CONFLICTING = new Set([
  ...['port', 'publish', 'volume', 'env', 'set-env', 'set-env-file', 'inherit-env'],
  ...['pull-policy', 'platform', 'allow-foreign-layers'],
]);

/**
 * A pod manifest says all about its apps, so nothing else may.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 */
export function refuseConflicts({ parts }: Arguments): void {
  for (const part of parts) {
    const isConflict = part.kind !== 'flag' || part.flag.scope === 'image' || CONFLICTING.has(part.flag.name);
    if (!isConflict) continue;
    const what = { flag: '', operand: 'an image', 'app-arguments': 'arguments of an app' }[part.kind];
    const given = part.kind === 'flag' ? part.typed : what;
    throw usageError(`conflicting flags set with --pod-manifest: ${given}`, 'put it into the manifest');
  }
}

/** @throws {CliError} ERR_RKT_CLI_FILE, ERR_RKT_CLI_POD_INVALID */
export function readStatedManifest(file: string): StatedManifest {
  const value = parsed(file, readSmallFile(file, MAX_FILE_BYTES, 'pod manifest').toString());
  if (!isObject(value)) throw invalid(file, 'it is no JSON object');
  // Left out, a limit would not be kept.
  if (value['isolators'] !== undefined)
    throw invalid(file, 'isolators of a whole pod are not supported, only of its apps');
  return { file, value };
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(file, 'it is not JSON', error);
  }
}

/**
 * Finds the images of a pod manifest in the store and takes from them what the manifest leaves to them: the app section
 * of an app that has none, and annotations. Nothing is fetched.
 * @throws {CliError} ERR_RKT_CLI_POD_INVALID, ERR_RKT_CLI_IMAGE_NOT_IN_STORE
 */
export async function completeManifest(
  { file, value }: StatedManifest,
  store: Store,
  lease: Lease,
): Promise<PodManifest> {
  const stated = value['apps'];
  if (!Array.isArray(stated) || stated.length === 0) throw invalid(file, 'it has no apps');
  const apps: unknown[] = [];
  for (const app of stated) {
    if (!isObject(app)) throw invalid(file, 'an app of it is no JSON object');
    const image = await findImage(store, file, app);
    await lease.retain(image.id);
    apps.push(completed(app, image));
  }
  const manifest = checked(file, { ...value, apps });
  for (const app of manifest.apps) requireExec(file, app);
  return manifest;
}

function checked(file: string, value: unknown): PodManifest {
  try {
    return parsePodManifest(value);
  } catch (error) {
    if (isAppcError(error)) throw invalid(file, error.message, error);
    throw error;
  }
}

async function findImage(store: Store, file: string, app: JsonObject): Promise<StoredImage> {
  const name = quote(String(app['name']));
  const wanted = wantedImage(app['image']);
  if (wanted === undefined) throw invalid(file, `app ${name} has no image with an id or a name`);
  try {
    const { id } = await findStoredImage(store, wanted.image);
    const image = await store.getImage(id);
    requireLabels(image, wanted.labels);
    return image;
  } catch (error) {
    if (!isNameFault(error)) throw error;
    const message = `image ${quote(wanted.image)} of app ${name} is not in the store: ${reasonOf(error)}`;
    throw new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', message, {
      cause: error,
      hint: "fetch it first, and give its ID as 'rkt fetch --full' prints it",
    });
  }
}

interface WantedImage {
  /** An ID, any unique beginning of one, or a name with its version. */
  readonly image: string;
  readonly labels: readonly NameValue[];
}

function wantedImage(image: unknown): WantedImage | undefined {
  if (!isObject(image)) return undefined;
  const { id, name, labels } = image;
  if (typeof id === 'string' && id !== '') return { image: id, labels: [] };
  if (typeof name !== 'string' || name === '') return undefined;
  const all = (Array.isArray(labels) ? labels : []).flatMap((label: unknown) =>
    isObject(label) ? [{ name: String(label['name']), value: String(label['value']) }] : [],
  );
  const version = all.find((label) => label.name === 'version')?.value;
  return {
    image: version === undefined ? name : `${name}:${version}`,
    labels: all.filter((label) => label.name !== 'version'),
  };
}

function requireLabels({ manifest }: StoredImage, wanted: readonly NameValue[]): void {
  const own = new Map(manifest.labels?.map(({ name, value }) => [name, value]));
  const other = wanted.find(({ name, value }) => own.get(name) !== value);
  if (other === undefined) return;
  const message = `the one there is has another ${quote(other.name)} than ${quote(other.value)}`;
  throw new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', message);
}

function completed(app: JsonObject, image: StoredImage): JsonObject {
  const own = isObject(app['image']) ? app['image'] : {};
  return {
    ...app,
    image: { ...runtimeImage(image), ...own, id: image.id },
    app: app['app'] ?? image.manifest.app ?? { exec: [], user: '0', group: '0' },
    annotations: annotationsOf(app, image),
  };
}

/** The image's, and the manifest's over them. Docker's USER is that of the image's own app section and of no other. */
function annotationsOf(app: JsonObject, { manifest }: StoredImage): unknown {
  const stated: unknown = app['annotations'] ?? [];
  if (!Array.isArray(stated)) return stated;
  const names = new Set(stated.map((annotation: unknown) => (isObject(annotation) ? annotation['name'] : undefined)));
  if (app['app'] !== undefined) names.add(DOCKER_USER);
  return [...(manifest.annotations ?? []).filter(({ name }) => !names.has(name)), ...stated];
}

function requireExec(file: string, { name, app }: RuntimeApp): void {
  if (app.exec.length === 0) throw invalid(file, `app ${quote(name)} does not say what to execute`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(file: string, reason: string, cause?: unknown): CliError {
  return new CliError('ERR_RKT_CLI_POD_INVALID', `cannot use pod manifest ${quote(file)}: ${reason}`, { cause });
}
