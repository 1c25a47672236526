// SPDX-License-Identifier: Apache-2.0
import { type Dependency, toAppcPlatform } from '@rkt/appc';
import type { Platform } from '@rkt/registry';
import type { FlagValues } from '../args/flag.ts';
import { type PullPolicy, pullPolicyOf } from '../args/pull-policy.ts';
import { createProgress } from '../render/progress/create-progress.ts';
import type { Progress } from '../render/progress/progress.ts';
import type { Io } from '../wiring/io.ts';
import type { Session } from '../wiring/session.ts';
import { ownPlatform } from './remote-name.ts';

/** How an image is to be got. */
export interface ObtainOptions {
  readonly pullPolicy: PullPolicy;
  readonly progress: Progress;
  /** Undefined: this machine's, as nothing else was asked for. */
  readonly platform: Platform | undefined;
  /** Layers that the registry does not have may be asked for at addresses that the image names. */
  readonly allowForeign: boolean;
  /** A file with the signature of an ACI. Undefined: it is beside the ACI. */
  readonly signatureFile?: string | undefined;
  /** Gets what an ACI depends on and the store does not have. False: nobody can be asked for it. */
  readonly fetchDependency: (session: Session, dependency: Dependency, options: ObtainOptions) => Promise<boolean>;
  /** Names of the images that what is to be got is a dependency of, the last one directly. */
  readonly dependents?: readonly string[];
}

/**
 * Reads the flags of `obtainFlags`.
 * @throws {AppcError} ERR_RKT_APPC_PLATFORM for a platform no image of the store can be for
 */
export async function readObtainOptions(io: Io, flags: FlagValues): Promise<ObtainOptions> {
  const platform = await wantedPlatform(flags.text('platform'));
  return {
    pullPolicy: pullPolicyOf(flags),
    progress: createProgress(io, flags),
    platform,
    allowForeign: flags.boolean('allow-foreign-layers'),
    fetchDependency: async (session, dependency, options) => {
      const { fetchDependency } = await import('./discover-image.ts');
      return await fetchDependency(session, dependency, options);
    },
  };
}

/**
 * The value of `--platform`. Every spelling of a platform is one, so that what is stored for it has one name.
 * @throws {AppcError} ERR_RKT_APPC_PLATFORM
 */
export async function wantedPlatform(text: string | undefined): Promise<Platform | undefined> {
  if (text === undefined) return undefined;
  const { hostPlatform, matchPlatform, parsePlatform } = await import('@rkt/registry');
  const platform = parsePlatform(text);
  const { arch } = toAppcPlatform(platform);
  if (matchPlatform(hostPlatform(), platform) === 0) return ownPlatform();
  const { variant: _, ...plain } = platform;
  return matchPlatform(plain, platform) === 0 && toAppcPlatform(plain).arch === arch ? plain : platform;
}
