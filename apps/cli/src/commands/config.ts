// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { documentFormat, renderJson } from '../render/json.ts';
import { effectiveConfig } from '../wiring/config/effective-config.ts';
import { exposedFiles, exposureOf } from '../wiring/config/exposed-files.ts';
import { inEffect } from '../wiring/config/in-effect.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags }: Arguments): Promise<number> {
  const config = await session.config();
  const effective = await effectiveConfig(config, session.io);
  const shared = effective.credentialFiles.flatMap(({ path, exposed }) =>
    exposed === undefined ? [] : [{ path, exposure: exposed }],
  );
  for (const file of [...(await exposedFiles(config)), ...shared]) session.warn(exposureOf(file));
  session.io.stdout.write(renderJson({ inEffect: await inEffect(session), ...effective }, documentFormat(flags)));
  return 0;
}
