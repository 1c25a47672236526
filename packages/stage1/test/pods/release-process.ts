// SPDX-License-Identifier: Apache-2.0
// What the monitor of a detached app executes when the app has ended: `release-process.ts DATA_DIR POD_ID`.
import { createRuntime } from '../../src/index.ts';

const [dataDir = '', id = ''] = process.argv.slice(2);
const runtime = await createRuntime({ dataDir, configDirs: [] });
await runtime.releaseEnded(id, { app: 'app' });
