// SPDX-License-Identifier: Apache-2.0
import type { HostProgram } from '@rkt/stage1';
import { hasCode } from '../../errors.ts';
import { flavorFor } from '../../pods/chosen-flavor.ts';
import type { Session } from '../session.ts';

/** What the command would work with here and now, whoever has said so: the command line, a file, or nobody. */
export interface InEffect {
  readonly dataDirectory: string;
  /** Of pods that name none. */
  readonly flavor: string;
  /** Programs of the host that such a pod is run with; one without a path is missing. */
  readonly programs: readonly HostProgram[];
}

/**
 * A flavor that is configured and not known is warned of.
 * @throws {CliError} ERR_RKT_CLI_FILE for a data directory that cannot be one
 */
export async function inEffect(session: Session): Promise<InEffect> {
  const dataDirectory = await session.dataDir();
  const runtime = await session.runtime();
  const configured = flavorFor(await session.config());
  try {
    const { name, programs } = runtime.describeFlavor(configured);
    return { dataDirectory, flavor: name, programs };
  } catch (error) {
    if (configured === undefined || !hasCode(error, 'ERR_RKT_STAGE1_FLAVOR_NOT_FOUND')) throw error;
    session.warn(error.message);
    return { dataDirectory, flavor: configured, programs: [] };
  }
}
