// SPDX-License-Identifier: Apache-2.0
import {
  type App,
  type ImageManifest,
  isAcIdentifier,
  type Mount,
  type NameValue,
  type RuntimeApp,
  sanitizeAcName,
  type Volume,
} from '@rkt/appc';
import { parseAssignment } from '../args/assignment.ts';
import type { FlagValues } from '../args/flag.ts';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { isolatorsOf } from './isolators.ts';
import type { PlannedApp } from './pod-manifest.ts';
import { runtimeImage } from './runtime-image.ts';
import { parseMountFlag } from './volume-flag.ts';

/** Environment variables that are the same for every app of a pod, weakest first. */
export interface PodEnvironment {
  /** rkt's own, with `--inherit-env`: the image wins over it. */
  readonly inherited: readonly NameValue[];
  /** `--set-env-file`, then `--set-env`: they win over the image. */
  readonly set: readonly NameValue[];
}

export interface AppContext {
  readonly environment: PodEnvironment;
  readonly appendArguments: boolean;
  readonly volumes: readonly Volume[];
}

const EMPTY_APP: App = { exec: [], user: '0', group: '0' };

/** The app of an image as it is to run. */
export function runtimeApp({ image, request }: PlannedApp, context: AppContext): RuntimeApp {
  const { manifest } = image;
  const { flags } = request;
  const base = manifest.app ?? EMPTY_APP;
  const exec = execOf(manifest, flags.text('exec'), request.appArguments, context.appendArguments);
  if (exec.length === 0) {
    throw new CliError('ERR_RKT_CLI_POD_INVALID', `image ${quote(image.name)} does not say what to execute`, {
      hint: 'name the executable with --exec after the image',
    });
  }
  const isolators = isolatorsOf(base.isolators ?? [], flags);
  const mounts = mountsOf(base, flags, context.volumes);
  return {
    name: nameOf(image.manifest.name, flags.text('name')),
    image: runtimeImage(image),
    app: {
      ...base,
      exec,
      ...identity(base, flags),
      ...textOverride('workingDirectory', flags.text('working-dir')),
      environment: environmentOf(base, flags, context.environment),
      ...userData('userAnnotations', base.userAnnotations, flags.texts('user-annotation')),
      ...userData('userLabels', base.userLabels, flags.texts('user-label')),
      ...(isolators.length === 0 ? {} : { isolators }),
    },
    ...(flags.boolean('readonly-rootfs') ? { readOnlyRootFS: true } : {}),
    ...(mounts.length === 0 ? {} : { mounts }),
    ...withAnnotations(annotationsOf(manifest, base, flags), flags.texts('annotation')),
  };
}

/**
 * `--exec` replaces the whole command. Otherwise arguments take the place of a Docker image's CMD, as docker has it, and
 * are appended to the exec of any other image, as the appc specification has it.
 */
export function execOf(
  manifest: ImageManifest,
  exec: string | undefined,
  given: readonly string[] | undefined,
  append: boolean,
): readonly string[] {
  const args = given ?? [];
  if (exec !== undefined) return [exec, ...args];
  const entrypoint = annotatedList(manifest, 'appc.io/docker/entrypoint');
  const isDocker = entrypoint !== undefined || annotatedList(manifest, 'appc.io/docker/cmd') !== undefined;
  if (isDocker && !append && args.length > 0) return [...(entrypoint ?? []), ...args];
  return [...(manifest.app?.exec ?? []), ...args];
}

/** Annotations come from the image: what is not a list of strings is not there. */
function annotatedList(manifest: ImageManifest, name: string): readonly string[] | undefined {
  const text = manifest.annotations?.find((annotation) => annotation.name === name)?.value;
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function nameOf(imageName: string, given: string | undefined): string {
  return given ?? sanitizeAcName(imageName.slice(imageName.lastIndexOf('/') + 1));
}

/** Without `--group`, a `--user` brings the group of that user, as the runtime looks it up. */
function identity(base: App, flags: FlagValues): Pick<App, 'user' | 'group' | 'supplementaryGIDs'> {
  const user = flags.text('user');
  const gids = flags.text('supplementary-gids');
  return {
    user: user ?? base.user,
    group: flags.text('group') ?? user ?? base.group,
    ...(gids === undefined ? {} : { supplementaryGIDs: gids.split(',').map(parseGid) }),
  };
}

/** What a Docker image has as its USER: the runtime looks up the group of that user as Docker does. */
const DOCKER_USER = 'appc.io/docker/user';

/**
 * The annotations of the image. Its USER counts no longer once the command line says who is to run the app: a group that
 * was given is that group and no other, and a user that was given alone has the place of the image's. An image without
 * USER is run by root as if it said so, and with the groups root has in it.
 */
function annotationsOf({ annotations }: ImageManifest, base: App, flags: FlagValues): Pick<RuntimeApp, 'annotations'> {
  if (annotations === undefined) return {};
  const others = annotations.filter(({ name }) => name !== DOCKER_USER);
  const isDocker = annotations.some(({ name }) => name.startsWith('appc.io/docker/'));
  if (!isDocker || flags.given('group')) return { annotations: others };
  const stated = annotations.find(({ name }) => name === DOCKER_USER)?.value;
  const user = flags.text('user') ?? stated ?? (isRoot(base) ? base.user : undefined);
  if (user === undefined) return { annotations: others };
  return { annotations: [...others, { name: DOCKER_USER, value: user }] };
}

function withAnnotations(
  { annotations = [] }: Pick<RuntimeApp, 'annotations'>,
  texts: readonly string[],
): Pick<RuntimeApp, 'annotations'> {
  const given = new Map(texts.map(annotationOf));
  const all = [...annotations.filter(({ name }) => !given.has(name)), ...asList(given)];
  return all.length === 0 ? {} : { annotations: all };
}

function annotationOf(text: string): readonly [string, string] {
  const { name, value } = parseAssignment(text);
  if (isAcIdentifier(name)) return [name, value];
  throw new CliError('ERR_RKT_CLI_POD_INVALID', `annotation name ${quote(name)} is not an AC Identifier`, {
    hint: 'it may have lower-case letters, digits and inner - . _ ~ /',
  });
}

function userData(
  property: 'userAnnotations' | 'userLabels',
  image: Readonly<Record<string, string>> | undefined,
  texts: readonly string[],
): Partial<Pick<App, 'userAnnotations' | 'userLabels'>> {
  if (texts.length === 0) return {};
  const given = texts.map(parseAssignment).map(({ name, value }) => [name, value] as const);
  return { [property]: { ...image, ...Object.fromEntries(given) } };
}

function asList(values: ReadonlyMap<string, string>): readonly NameValue[] {
  return Array.from(values, ([name, value]) => ({ name, value }));
}

/** As images without USER are converted. */
function isRoot({ user, group }: App): boolean {
  return user === '0' && group === '0';
}

function parseGid(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) < 0xffff_ffff) return Number(text);
  throw new CliError('ERR_RKT_CLI_USAGE', `--supplementary-gids must be group numbers, got ${quote(text)}`);
}

function textOverride(name: 'workingDirectory', value: string | undefined): Pick<App, 'workingDirectory'> {
  return value === undefined ? {} : { [name]: value };
}

/** Later ones win: what rkt has, the image's, the file's, `--set-env`, `--environment`. */
function environmentOf(base: App, flags: FlagValues, pod: PodEnvironment): readonly NameValue[] {
  const own = flags.texts('environment').map(parseAssignment);
  const all = [...pod.inherited, ...(base.environment ?? []), ...pod.set, ...own];
  return [...new Map(all.map(({ name, value }) => [name, value]))].map(([name, value]) => ({ name, value }));
}

/** A volume named like a mount point of the image is mounted there unless a mount says otherwise. */
function mountsOf(base: App, flags: FlagValues, volumes: readonly Volume[]): readonly Mount[] {
  const names = new Set(volumes.map(({ name }) => name));
  const byPath = new Map<string, Mount>();
  for (const { name, path } of base.mountPoints ?? []) {
    if (names.has(name)) byPath.set(path, { volume: name, path });
  }
  for (const mount of flags.texts('mount').map(parseMountFlag)) byPath.set(mount.path, mount);
  const mounts = [...byPath.values()];
  const dangling = mounts.find(({ volume }) => !names.has(volume));
  if (dangling === undefined) return mounts;
  throw new CliError(
    'ERR_RKT_CLI_POD_INVALID',
    `dangling mount point ${quote(dangling.path)}: volume ${quote(dangling.volume)} not found`,
    { hint: `declare it: --volume=${dangling.volume},kind=host,source=PATH` },
  );
}
