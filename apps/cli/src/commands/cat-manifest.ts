// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { CliError } from '../errors.ts';
import { findPod, podArguments } from '../pods/find-pods.ts';
import { documentFormat, renderJson } from '../render/json.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const [prefix = ''] = podArguments(args);
  const { id, state, manifest } = await findPod(await session.runtime(), prefix);
  if (manifest === undefined) {
    throw new CliError('ERR_RKT_CLI_POD_STATE', `pod "${id}" has no manifest: its state is "${state}"`);
  }
  session.io.stdout.write(renderJson(manifest, documentFormat(args.flags)));
  return 0;
}
