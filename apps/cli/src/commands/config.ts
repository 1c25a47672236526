// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { documentFormat, renderJson } from '../render/json.ts';
import { effectiveConfig } from '../wiring/config/effective-config.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags }: Arguments): Promise<number> {
  const effective = await effectiveConfig(await session.config(), session.io);
  session.io.stdout.write(renderJson(effective, documentFormat(flags)));
  return 0;
}
