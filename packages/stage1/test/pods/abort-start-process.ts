// SPDX-License-Identifier: Apache-2.0
// Gives up starting the app of a prepared pod: `abort-start-process.ts DATA_DIR POD_ID RUNTIME DELAY_MS`.
import { createRuntime } from '../../src/index.ts';

const [dataDir = '', id = '', runtimePath = '', delay = ''] = process.argv.slice(2);
const runtime = await createRuntime({ dataDir, configDirs: [], runtimePath });
await runtime.createSandbox(id);
await runtime.addApp(id, 'app');
const enough = new Error('enough');
const abort = new AbortController();
setTimeout(() => abort.abort(enough), Number(delay));
await runtime.startApp(id, 'app', { stdio: 'inherit', signal: abort.signal }).catch((error: unknown) => {
  if (error !== enough) throw error;
});
await runtime.stopSandbox(id, { force: true });
