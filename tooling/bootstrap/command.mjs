// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

let current;
let received;

/**
 * From now on signals do not end this process but the command it runs, whose end it waits for. A terminal sends its
 * Ctrl-C to the command by itself, and a second one would be taken as "at once".
 */
export function passOnSignals() {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      received ??= name;
      if (name !== 'SIGINT' || !process.stdin.isTTY) current?.kill(name);
    });
  }
}

/** Runs a command with this process's streams; gives its status as a shell would. After a signal nothing more is run. */
export async function runCommand(file, args, options) {
  if (received !== undefined) process.exit(statusOf(received));
  const status = await new Promise((resolve, reject) => {
    current = spawn(file, args, { stdio: 'inherit', ...options });
    current.on('error', reject);
    current.on('close', (code, signal) => resolve(code ?? statusOf(signal)));
  });
  current = undefined;
  if (received !== undefined && status !== 0) process.exit(statusOf(received));
  return status;
}

function statusOf(signal) {
  return 128 + constants.signals[signal];
}
