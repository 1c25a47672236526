// SPDX-License-Identifier: Apache-2.0
import type { NameValue } from '@rkt/appc';
import type { ContainerConfig, ImageConfig } from '@rkt/registry';

export interface AnnotationContext {
  readonly registry: string;
  readonly path: string;
  readonly configDigest: string;
  readonly manifestDigest: string;
}

const PREFIX = 'appc.io/docker/';

/** An annotation longer than this is left out: no runtime needs it, and a manifest is read whole. Characters. */
const LONGEST_VALUE = 64 * 1024;

/**
 * What an app container manifest has no field for, under `appc.io/docker/`. The first eight are docker2aci's; lists and
 * objects are JSON. History is left out: nothing runs by it, and it is by far the largest part.
 */
export function imageAnnotations(image: ImageConfig, context: AnnotationContext): readonly NameValue[] {
  const config = image.config ?? {};
  const values: readonly (readonly [string, string | undefined])[] = [
    ['author', nonEmpty(image.author)],
    ['created', nonEmpty(image.created)],
    [`${PREFIX}registryurl`, nonEmpty(context.registry)],
    [`${PREFIX}repository`, context.path],
    [`${PREFIX}imageid`, context.configDigest],
    [`${PREFIX}manifesthash`, context.manifestDigest],
    [`${PREFIX}entrypoint`, list(config.entrypoint)],
    [`${PREFIX}cmd`, list(config.cmd)],
    ...dockerOnly(config),
    [`${PREFIX}variant`, nonEmpty(image.platform.variant)],
    [`${PREFIX}osversion`, nonEmpty(image.platform.osVersion)],
  ];
  return values.flatMap(([name, value]) =>
    value === undefined || value.length > LONGEST_VALUE ? [] : [{ name, value }],
  );
}

function dockerOnly(config: ContainerConfig): readonly (readonly [string, string | undefined])[] {
  return [
    // As it was written: the app's group repeats the user where this states none.
    [`${PREFIX}user`, nonEmpty(config.user)],
    [`${PREFIX}stopsignal`, nonEmpty(config.stopSignal)],
    [`${PREFIX}healthcheck`, isShallow(config.healthcheck) ? canonicalJson(config.healthcheck) : undefined],
    [`${PREFIX}shell`, list(config.shell)],
    [`${PREFIX}onbuild`, list(config.onBuild)],
    [`${PREFIX}argsescaped`, config.argsEscaped === true ? 'true' : undefined],
  ];
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function list(values: readonly string[] | undefined): string | undefined {
  return values === undefined || values.length === 0 ? undefined : JSON.stringify(values);
}

/** Deeper than any health check is, and far from what a stack holds. */
const DEEPEST = 16;

/** False for what is not there, and for what nobody but an attacker nests so deep. */
function isShallow(value: unknown, depth = DEEPEST): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined;
  return depth > 0 && Object.values(value).every((each) => isShallow(each, depth - 1));
}

/** Keys by name, so that the order of a document does not matter. The value was parsed from JSON. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1)))
      : each,
  );
}
