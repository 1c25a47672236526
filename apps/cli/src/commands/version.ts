// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { jsonFormat, renderJson } from '../render/json.ts';
import { programVersion } from '../wiring/program-version.ts';
import type { Session } from '../wiring/session.ts';

/** The appc specification the manifests follow; not imported, so that printing it loads nothing. */
const APPC_VERSION = '0.8.11';
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export async function execute({ io }: Session, { flags }: Arguments): Promise<number> {
  const rkt = programVersion();
  const arch = ARCHITECTURES[process.arch] ?? process.arch;
  const format = jsonFormat(flags.text('format'));
  if (format !== undefined) {
    io.stdout.write(renderJson({ rkt, appc: APPC_VERSION, node: process.version, os: process.platform, arch }, format));
    return 0;
  }
  const lines = [
    `rkt Version: ${rkt}`,
    `appc Version: ${APPC_VERSION}`,
    `Node Version: ${process.version}`,
    `Node OS/Arch: ${process.platform}/${arch}`,
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}
