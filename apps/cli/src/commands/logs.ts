// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import type { LogOptions, PodId } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import type { FlagValues } from '../args/flag.ts';
import { parseSince, parseTail } from '../args/log-range.ts';
import { podArguments, resolveApp, sayWhichPod } from '../pods/find-pods.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, args: Arguments): Promise<number> {
  const { flags } = args;
  const [prefix = ''] = podArguments(args);
  const runtime = await session.runtime();
  const named = await resolveApp(runtime, prefix, flags);
  const { id, app } = named;
  sayWhichPod(session, named);
  // Whoever follows a log ends that with an interrupt, which is no failure to be told.
  const controller = new AbortController();
  let interrupt: NodeJS.Signals | undefined;
  using _ = session.interrupts.divert((name) => {
    interrupt = name;
    controller.abort();
  });
  try {
    await print(
      session,
      id,
      { app, ...rangeOf(flags, session.io.now()), signal: controller.signal },
      flags.boolean('timestamps'),
    );
    return 0;
  } catch (error) {
    if (interrupt === undefined) throw error;
    return 128 + constants.signals[interrupt];
  }
}

function rangeOf(flags: FlagValues, now: number): Omit<LogOptions, 'app'> {
  const since = flags.text('since');
  return {
    follow: flags.boolean('follow'),
    tail: parseTail(flags.text('tail') ?? 'all'),
    since: since === undefined ? undefined : parseSince(since, now),
  };
}

async function print(session: Session, id: PodId, options: LogOptions, timestamps: boolean): Promise<void> {
  const runtime = await session.runtime();
  const isBegun = { stdout: false, stderr: false };
  for await (const { time, stream, bytes, partial } of runtime.logs(id, options)) {
    const stamp = timestamps && !isBegun[stream] ? Buffer.from(`${time} `) : undefined;
    isBegun[stream] = partial;
    await session.io.writeChunk(stamp === undefined ? bytes : Buffer.concat([stamp, bytes]), stream);
  }
}
