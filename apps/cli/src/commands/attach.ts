// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { parseDetachKeys } from '../args/detach-keys.ts';
import { attachStreams } from '../pods/attach-streams.ts';
import { podArguments } from '../pods/find-pods.ts';
import type { Session } from '../wiring/session.ts';

/** Until the app ends, whose status it gives, or is left. */
export async function execute(session: Session, args: Arguments): Promise<number> {
  const { flags } = args;
  const [prefix = ''] = podArguments(args);
  const app = flags.text('app');
  const runtime = await session.runtime();
  const id = await runtime.resolve(prefix);
  const attachment = await runtime.attach(id, { app });
  const outcome = await attachStreams(session, attachment, {
    detachKeys: parseDetachKeys(flags.text('detach-keys') ?? ''),
    input: !flags.boolean('no-stdin'),
    onSignal: flags.boolean('sig-proxy') ? (name) => runtime.signalApp(id, { name, app }) : undefined,
  });
  return outcome === 'left' ? 0 : runtime.waitApp(id, { app, signal: session.interrupts.signal });
}
