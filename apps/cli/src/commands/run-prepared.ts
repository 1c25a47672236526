// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { CliError } from '../errors.ts';
import { findPod, WAITING_FIRST } from '../pods/find-pods.ts';
import { requireOneApp } from '../pods/one-app.ts';
import { runDetached } from '../pods/run-detached.ts';
import { foregroundOf, runPod } from '../pods/run-pod.ts';
import { changedSpec } from '../pods/sandbox-spec.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const { id, state, apps, manifest } = await findPod(await session.runtime(), operands[0] ?? '', WAITING_FIRST);
  if (state !== 'prepared') throw new CliError('ERR_RKT_CLI_POD_STATE', `pod "${id}" is not prepared`);
  const how = foregroundOf(flags);
  if (how.interactive) requireOneApp(apps.length);
  const spec = changedSpec(flags, (manifest?.ports ?? []).length > 0);
  return flags.boolean('detach') ? runDetached(session, id, { ...how, spec }) : runPod(session, id, { ...how, spec });
}
