// SPDX-License-Identifier: Apache-2.0
import type { PodId, RunningApp, Runtime, StdioMode } from '@rkt/stage1';
import { CliError } from '../errors.ts';
import type { Session } from '../wiring/session.ts';

/** How long after a second signal the app is killed, in milliseconds, is no question: at once. */
const KILL_AFTER_SIGNALS = 3;

/**
 * Runs the app of a prepared pod in the foreground until it ends, passing signals on to it, and takes the sandbox down.
 * Resolves to the app's status. What the pod held of the host is released whatever happens.
 */
export async function runPod(session: Session, id: PodId, interactive: boolean): Promise<number> {
  const runtime = await session.runtime();
  const { signal } = session.interrupts;
  try {
    const { manifest } = await runtime.createSandbox(id, { signal });
    const app = manifest?.apps[0]?.name;
    if (app === undefined) throw new CliError('ERR_RKT_CLI_POD_STATE', `pod "${id}" has no app`);
    await runtime.addApp(id, app, { signal });
    const running = await runtime.startApp(id, app, { stdio: stdioOf(session, interactive), signal });
    return await attend(session, running, () => stopAgain(runtime, id, app));
  } finally {
    await runtime.stopSandbox(id);
  }
}

function stdioOf({ io }: Session, interactive: boolean): StdioMode {
  if (!interactive) return 'inherit';
  return io.stdinIsTTY && io.stdout.isTTY ? 'tty' : 'interactive';
}

/** Signals go to the app; one that does not end after several of them is killed. */
async function attend(session: Session, running: RunningApp, kill: () => Promise<void>): Promise<number> {
  let signals = 0;
  using _ = session.interrupts.divert((name) => {
    signals += 1;
    if (signals < KILL_AFTER_SIGNALS) return running.signal(name);
    session.say('the app did not end, killing it');
    kill().catch((error: unknown) => session.say(`cannot kill the app: ${String(error)}`));
  });
  return await running.wait();
}

async function stopAgain(runtime: Runtime, id: PodId, app: string): Promise<void> {
  await runtime.stopApp(id, app, { force: true });
}
