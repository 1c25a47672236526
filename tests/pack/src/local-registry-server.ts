// SPDX-License-Identifier: Apache-2.0
//
// local-registry-server.ts DIRECTORY: an npm registry on loopback, on any free port, which it prints. It knows no other
// registry, keeps everything in the directory, and ends with its standard input: with whoever started it.

import { join } from 'node:path';
import { parseConfigFile, runServer } from 'verdaccio';

process.stdin.on('end', () => process.exit()).resume();
const [, , directory = ''] = process.argv;

const config = {
  ...parseConfigFile(join(directory, 'config.yaml')),
  self_path: join(directory, 'config.yaml'),
};
const server = await runServer(config);
server.listen(0, '127.0.0.1', () => {
  console.log(`port ${server.address().port}`);
});
