// SPDX-License-Identifier: Apache-2.0
//
// local-registry-server.ts DIRECTORY: an npm registry on loopback, on any free port, which it prints. It knows no other
// registry, and keeps everything in the directory.

import { join } from 'node:path';
import { parseConfigFile, runServer } from 'verdaccio';

const [, , directory = ''] = process.argv;

const config = {
  ...parseConfigFile(join(directory, 'config.yaml')),
  self_path: join(directory, 'config.yaml'),
};
const server = await runServer(config);
server.listen(0, '127.0.0.1', () => {
  console.log(`port ${server.address().port}`);
});
