// SPDX-License-Identifier: Apache-2.0
import { createRuntime, type Runtime } from '@rkt/stage1';
import type { RuntimeSettings } from './libraries.ts';

/** The runtime on a data directory, with the protections that `--insecure-options` left. */
export function openRuntime({ dataDir, localConfig, insecure }: RuntimeSettings): Promise<Runtime> {
  return createRuntime({ dataDir, localConfig, insecure });
}
