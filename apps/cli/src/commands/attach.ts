// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { parseDetachKeys } from '../args/detach-keys.ts';
import { attachStreams } from '../pods/attach-streams.ts';
import { podArguments, resolveApp } from '../pods/find-pods.ts';
import type { Session } from '../wiring/session.ts';

/** Until the app ends, whose status it gives, or is left. */
export async function execute(session: Session, args: Arguments): Promise<number> {
  const { flags } = args;
  const [prefix = ''] = podArguments(args);
  const runtime = await session.runtime();
  const { id, app } = await resolveApp(runtime, prefix, flags);
  const attachment = await runtime.attach(id, { app });
  const input = !flags.boolean('no-stdin');
  const keys = flags.text('detach-keys') ?? '';
  const leavingKeys = input && attachment.hasStdin && session.io.stdinIsTTY ? keys : '';
  if (leavingKeys !== '' && session.io.stderr.isTTY) session.say(`${leavingKeys} leaves the app, which goes on`);
  // From now on, not from the end of the output: whoever reads that slowly would find a pod gone that was run with --rm.
  const left = new AbortController();
  const status = runtime.waitApp(id, { app, signal: AbortSignal.any([left.signal, session.interrupts.signal]) });
  status.catch(() => undefined);
  using _ = { [Symbol.dispose]: () => left.abort() };
  const outcome = await attachStreams(session, attachment, {
    detachKeys: parseDetachKeys(keys),
    input,
    onSignal: flags.boolean('sig-proxy') ? (name) => runtime.signalApp(id, { name, app }) : undefined,
    waysOut: `${leavingKeys === '' ? '' : `${leavingKeys} or `}the third signal leaves it, rkt stop --force ${id} kills it`,
  });
  return outcome === 'left' ? 0 : await status;
}
