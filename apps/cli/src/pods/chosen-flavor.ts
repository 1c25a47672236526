// SPDX-License-Identifier: Apache-2.0
import type { FlavorTraits, Runtime } from '@rkt/stage1';
import type { FlagValues } from '../args/flag.ts';
import { usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Config } from '../wiring/config/config.ts';
import type { Session } from '../wiring/session.ts';

/** How the apps of a pod are to be isolated. */
export interface ChosenFlavor {
  /** Undefined: nobody has named one. */
  readonly name: string | undefined;
  readonly traits: FlavorTraits;
}

/**
 * The flavor that the command line names, or else the configuration; refused if there is none such.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 */
export async function chosenFlavor(session: Session, flags: FlagValues): Promise<ChosenFlavor> {
  const name = namedFlavor(flags) ?? flavorFor(await session.config());
  const runtime: Runtime = await session.runtime();
  return { name, traits: runtime.flavorTraits(name) };
}

/** The flavor that the configuration names; undefined: none. */
export function flavorFor({ stage1 }: Config): string | undefined {
  return flavorOf(stage1?.name);
}

function namedFlavor(flags: FlagValues): string | undefined {
  const named = [flags.text('flavor'), flags.text('stage1-name')].map(flavorOf);
  const [flavor, stage1] = named;
  if (flavor !== undefined && stage1 !== undefined && flavor !== stage1) {
    throw usageError(`--flavor=${quote(flavor)} and --stage1-name=${quote(stage1)} contradict each other`);
  }
  return flavor ?? stage1;
}

/** The original's images that isolate pods, by what does the same here; they may have a version. */
const images: Readonly<Record<string, string>> = { coreos: 'oci', host: 'oci', src: 'oci', fly: 'fly' };

/** The name of a flavor as it is known here. */
function flavorOf(name: string | undefined): string | undefined {
  const image = /^coreos\.com\/rkt\/stage1-([a-z]+)(:.*)?$/.exec(name ?? '')?.[1];
  return image !== undefined && Object.hasOwn(images, image) ? images[image] : name;
}
