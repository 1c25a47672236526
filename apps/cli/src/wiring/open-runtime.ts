// SPDX-License-Identifier: Apache-2.0
import { createRuntime, type Runtime } from '@rkt/stage1';
import type { RuntimeSettings } from './libraries.ts';

/** The runtime on a data directory, with the networks that are configured. */
export function openRuntime({ dataDir, configDirs }: RuntimeSettings): Promise<Runtime> {
  return createRuntime({ dataDir, configDirs });
}
