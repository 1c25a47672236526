// SPDX-License-Identifier: Apache-2.0
// Runs a prepared pod in the foreground: `run-pod-process.ts DATA_DIR POD_ID [RUNTIME]`.
import { writeSync } from 'node:fs';
import { createRuntime } from '../../src/index.ts';

const [dataDir = '', id = '', runtimePath] = process.argv.slice(2);
const runtime = await createRuntime({ dataDir, configDirs: [], ...(runtimePath !== undefined && { runtimePath }) });
await runtime.createSandbox(id);
await runtime.addApp(id, 'app');
const app = await runtime.startApp(id, 'app', { stdio: 'inherit' });
writeSync(1, 'started\n');
const status = await app.wait();
await runtime.stopSandbox(id);
process.exitCode = status;
