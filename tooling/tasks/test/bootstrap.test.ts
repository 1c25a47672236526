// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const module = fileURLToPath(new URL('../../bootstrap/command.mjs', import.meta.url));

/** What `npm test` is: the bootstrap running one command, here a shell that says when it starts and takes its leave. */
function bootstrap(script: string): ChildProcess {
  const source = `import { passOnSignals, runCommand } from ${JSON.stringify(module)};
    passOnSignals();
    process.exit(await runCommand('sh', ['-c', ${JSON.stringify(script)}], {}));`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function outcome(child: ChildProcess, signal?: NodeJS.Signals): Promise<{ output: string; status: number }> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (text.includes('started') && signal !== undefined) child.kill(signal);
  });
  const [status] = await once(child, 'close');
  return { output, status };
}

const leave = (signal: string, status: number) =>
  `trap 'sleep 0.3; echo undone; exit ${status}' ${signal}; echo started; while :; do sleep 0.05; done`;

it.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
  '%s reaches the task, and its clean-up is waited for',
  async (name) => {
    const { output, status } = await outcome(bootstrap(leave(name.slice(3), 3)), name);
    expect(output).toBe('started\nundone\n');
    expect(status).toBeGreaterThan(128);
  },
);

it('a task that ends well after a signal ended well', async () => {
  expect((await outcome(bootstrap(leave('TERM', 0)), 'SIGTERM')).status).toBe(0);
});

it('passes the status of the task on', async () => {
  expect((await outcome(bootstrap('exit 7'))).status).toBe(7);
});
