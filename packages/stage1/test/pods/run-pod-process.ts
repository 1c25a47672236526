// SPDX-License-Identifier: Apache-2.0
// Runs a prepared pod in the foreground: `run-pod-process.ts DATA_DIR POD_ID [RUNTIME]`; on a terminal when
// both its standard input and output are one.
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { createRuntime } from '../../src/index.ts';

const [dataDir = '', id = '', runtimePath] = process.argv.slice(2);
const runtime = await createRuntime({ dataDir, configDirs: [], ...(runtimePath !== undefined && { runtimePath }) });
const isTerminal = isatty(0) && isatty(1);
await runtime.createSandbox(id);
await runtime.addApp(id, 'app');
const app = await runtime.startApp(id, 'app', { stdio: isTerminal ? 'tty' : 'inherit' });
process.on('SIGWINCH', () => app.signal('SIGWINCH'));
if (!isTerminal) writeSync(1, 'started\n');
const status = await app.wait();
await runtime.stopSandbox(id);
process.exitCode = status;
