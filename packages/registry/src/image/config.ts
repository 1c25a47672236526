// SPDX-License-Identifier: Apache-2.0
import type { ContainerConfig, ImageConfig, Platform } from './image.ts';
import {
  asArray,
  asDigest,
  asObject,
  asString,
  asStringMap,
  asStrings,
  FieldError,
  field,
  type JsonObject,
  optionalString,
  readDocument,
} from './json.ts';
import { MAX_LAYERS } from './limits.ts';
import { readPlatformDetails } from './platform-fields.ts';

/** What is known of a configuration besides its bytes. */
export interface ConfigContext {
  /** For messages. */
  readonly reference: string;
  /** Of the manifest; there must be as many diffIDs. */
  readonly layerCount: number;
  /** For old configurations that leave os or architecture out. */
  readonly platform: Platform;
}

const MAX_ENTRIES = 8192;

/**
 * Reads an image configuration. OCI image spec, "Image Configuration". Only fields that are used are checked; unknown
 * ones are ignored.
 *
 * @throws {RegistryError} ERR_RKT_REGISTRY_CONFIG_INVALID
 */
export function parseImageConfig(bytes: Uint8Array, context: ConfigContext): ImageConfig {
  const { reference } = context;
  const fault = `configuration of ${reference} is invalid`;
  return readDocument(bytes, { code: 'ERR_RKT_REGISTRY_CONFIG_INVALID', fault, reference }, (document) =>
    read(document, context),
  );
}

function read(document: JsonObject, context: ConfigContext): ImageConfig {
  const rootfs = asObject(field(document, 'rootfs'), 'rootfs');
  const type = asString(field(rootfs, 'type'), 'rootfs.type');
  if (type !== 'layers') throw new FieldError(`rootfs.type: expected "layers", got ${JSON.stringify(type)}`);
  const diffIds = asArray(field(rootfs, 'diff_ids') ?? [], 'rootfs.diff_ids', MAX_LAYERS).map((entry, index) =>
    asDigest(entry, `rootfs.diff_ids[${index}]`),
  );
  if (diffIds.length !== context.layerCount) {
    throw new FieldError(`it has ${diffIds.length} diff_ids and the manifest ${context.layerCount} layers`);
  }
  const created = optionalString(field(document, 'created'), 'created');
  const author = optionalString(field(document, 'author'), 'author');
  const config = field(document, 'config');
  const history = field(document, 'history');
  return {
    platform: readPlatform(document, context.platform),
    diffIds,
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    ...(config === undefined ? {} : { config: readContainerConfig(asObject(config, 'config')) }),
    ...(history === undefined ? {} : { history: asArray(history, 'history', MAX_ENTRIES) }),
  };
}

function readPlatform(document: JsonObject, fallback: Platform): Platform {
  const os = optionalString(field(document, 'os'), 'os');
  const architecture = optionalString(field(document, 'architecture'), 'architecture');
  return {
    os: os === undefined || os === '' ? fallback.os : os,
    architecture: architecture === undefined || architecture === '' ? fallback.architecture : architecture,
    ...readPlatformDetails(document, ''),
  };
}

function readContainerConfig(config: JsonObject): ContainerConfig {
  const argsEscaped = field(config, 'ArgsEscaped');
  if (argsEscaped !== undefined && typeof argsEscaped !== 'boolean') {
    throw new FieldError('config.ArgsEscaped: expected a boolean');
  }
  return withoutUndefined({
    user: optionalString(field(config, 'User'), 'config.User'),
    exposedPorts: keys(config, 'ExposedPorts'),
    env: strings(config, 'Env'),
    entrypoint: strings(config, 'Entrypoint'),
    cmd: strings(config, 'Cmd'),
    volumes: keys(config, 'Volumes'),
    workingDir: optionalString(field(config, 'WorkingDir'), 'config.WorkingDir'),
    labels: labels(config),
    stopSignal: optionalString(field(config, 'StopSignal'), 'config.StopSignal'),
    healthcheck: field(config, 'Healthcheck'),
    shell: strings(config, 'Shell'),
    onBuild: strings(config, 'OnBuild'),
    argsEscaped,
  });
}

/** Docker writes sets as objects with empty values: `{"6379/tcp": {}}`. Order is that of the document. */
function keys(config: JsonObject, name: string): readonly string[] | undefined {
  const value = field(config, name);
  if (value === undefined) return undefined;
  const names = Object.keys(asObject(value, `config.${name}`));
  if (names.length > MAX_ENTRIES) throw new FieldError(`config.${name} has more than ${MAX_ENTRIES} entries`);
  return names;
}

function strings(config: JsonObject, name: string): readonly string[] | undefined {
  const value = field(config, name);
  // Old images have a command as one string; Docker reads it as one argument.
  if (typeof value === 'string') return [value];
  return value === undefined ? undefined : asStrings(value, `config.${name}`, MAX_ENTRIES);
}

function labels(config: JsonObject): Readonly<Record<string, string>> | undefined {
  const value = field(config, 'Labels');
  return value === undefined ? undefined : asStringMap(value, 'config.Labels', MAX_ENTRIES);
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** The object without its undefined properties: `exactOptionalPropertyTypes` tells absent from undefined. */
function withoutUndefined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
