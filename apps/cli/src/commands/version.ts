// SPDX-License-Identifier: Apache-2.0

import { programVersion } from '../wiring/program-version.ts';
import type { Session } from '../wiring/session.ts';

/** The appc specification the manifests follow; not imported, so that printing it loads nothing. */
const APPC_VERSION = '0.8.11';
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export async function execute({ io }: Session): Promise<number> {
  const lines = [
    `rkt Version: ${programVersion()}`,
    `appc Version: ${APPC_VERSION}`,
    `Node Version: ${process.version}`,
    `Node OS/Arch: ${process.platform}/${ARCHITECTURES[process.arch] ?? process.arch}`,
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}
