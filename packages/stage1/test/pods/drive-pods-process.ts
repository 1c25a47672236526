// SPDX-License-Identifier: Apache-2.0
// Drives pods as a server would, until it is killed: `drive-pods-process.ts DATA_DIR POD_ID...`. Each pod is left at
// another point of its life; `driven` is written when all are there.
import { writeSync } from 'node:fs';
import { createRuntime } from '../../src/index.ts';

const [dataDir = '', ...ids] = process.argv.slice(2);
const runtime = await createRuntime({ dataDir, configDirs: [] });
const [over, ended, running, other, added, made] = ids;

await Promise.all([over, ended, running, other, added, made].map((id) => runtime.createSandbox(id ?? '')));
await Promise.all([over, ended, running, other, added].map((id) => runtime.addApp(id ?? '', 'app')));
const apps = await Promise.all(
  [over, ended, running, other].map((id) => runtime.startApp(id ?? '', 'app', { stdio: 'inherit' })),
);
await Promise.all([over, ended].map((id) => runtime.stopApp(id ?? '', 'app', { force: true })));
await Promise.all(apps.slice(0, 2).map((app) => app.wait()));
await runtime.stopSandbox(over ?? '');
writeSync(1, 'driven\n');
await Promise.all(apps.map((app) => app.wait()));
