// SPDX-License-Identifier: Apache-2.0
import type { EnterOptions } from '@rkt/stage1';
import { parseAssignment } from '../args/assignment.ts';
import type { Arguments } from '../args/command.ts';
import type { FlagValues } from '../args/flag.ts';
import { splitUser } from '../args/split-user.ts';
import { resolveApp } from '../pods/find-pods.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const [prefix = '', ...rest] = operands;
  // After `run IMAGE -- ARGUMENTS`, many write it here, too.
  const command = rest[0] === '--' ? rest.slice(1) : rest;
  const { io } = session;
  const runtime = await session.runtime();
  const { id, app } = await resolveApp(runtime, prefix, flags);
  // Signals from the terminal reach the command by themselves; rkt only waits for it.
  using _ = session.interrupts.divert(() => undefined);
  return runtime.enter(id, {
    ...changesOf(flags),
    tty: io.stdinIsTTY && io.stdout.isTTY,
    ...(app === undefined ? {} : { app }),
    ...(command.length === 0 ? {} : { command }),
  });
}

function changesOf(flags: FlagValues): Pick<EnterOptions, 'user' | 'group' | 'workingDirectory' | 'environment'> {
  const user = flags.text('user');
  const directory = flags.text('working-dir');
  const environment = flags.texts('env').map(parseAssignment);
  return {
    ...(user !== undefined && splitUser(user)),
    ...(directory !== undefined && { workingDirectory: directory }),
    ...(environment.length > 0 && { environment }),
  };
}
