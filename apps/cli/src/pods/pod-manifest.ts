// SPDX-License-Identifier: Apache-2.0
import { acVersion, type PodManifest, type RuntimeApp, type Volume } from '@rkt/appc';
import type { StoredImage } from '@rkt/store';
import type { FlagValues } from '../args/flag.ts';
import type { ImageRequest } from '../args/image-requests.ts';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { portOf } from './exposed-port.ts';
import { parsePublishFlag } from './publish-flag.ts';
import { type PodEnvironment, runtimeApp } from './runtime-app.ts';
import { parseVolumeFlag } from './volume-flag.ts';

/** An image of the pod to be, with what the command line says about it. */
export interface PlannedApp {
  readonly image: StoredImage;
  readonly request: ImageRequest;
}

export interface PodPlan {
  /** Flags that describe the pod: ports, volumes. */
  readonly flags: FlagValues;
  readonly apps: readonly PlannedApp[];
  readonly environment: PodEnvironment;
  /** Append `--` arguments to the command of a Docker image instead of replacing it. */
  readonly appendArguments: boolean;
}

/**
 * Makes the pod manifest: every image's app section with every flag applied.
 * @throws {CliError} ERR_RKT_CLI_POD_INVALID
 */
export function podManifest(plan: PodPlan): PodManifest {
  const volumes = plan.flags.texts('volume').map(parseVolumeFlag);
  refuseDuplicates(
    'volumes',
    volumes.map(({ name }) => name),
  );
  const apps = plan.apps.map((planned) => runtimeApp(planned, { ...plan, volumes }));
  refuseDuplicates(
    'apps',
    apps.map(({ name }) => name),
  );
  for (const { name } of volumes) requireMounted(name, apps);
  const ports = [
    ...plan.flags.texts('port').map((text) => portOf(text, apps)),
    ...plan.flags.texts('publish').map(parsePublishFlag),
  ];
  return {
    acVersion,
    acKind: 'PodManifest',
    apps,
    ...(volumes.length === 0 ? {} : { volumes: volumes satisfies readonly Volume[] }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

/** A volume that nothing mounts is a slip of the name: what the app writes would be gone with the pod. */
function requireMounted(volume: string, apps: readonly RuntimeApp[]): void {
  const points = apps.flatMap(({ app }) => app.mountPoints ?? []);
  const mounted = apps.some(({ mounts }) => mounts?.some((mount) => mount.volume === volume));
  if (mounted || points.some(({ name }) => name === volume)) return;
  const known = points.map(({ name, path }) => `${name} at ${path}`).join(', ');
  const has = known === '' ? 'the image declares none' : `the image declares ${quote(known, { marks: false })}`;
  throw new CliError('ERR_RKT_CLI_POD_INVALID', `volume ${quote(volume)} is mounted nowhere: ${has}`, {
    hint: `say where with --mount=volume=${volume},target=PATH`,
  });
}

function refuseDuplicates(what: 'apps' | 'volumes', names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new CliError('ERR_RKT_CLI_POD_INVALID', `multiple ${what} with name ${quote(twice)}`, {
    ...(what === 'apps' && { hint: 'give one of them another name after its image: IMAGE --name=NAME' }),
  });
}
