// SPDX-License-Identifier: Apache-2.0
//
// npm run build [-- --arch=arm64]

import { parseArgs } from 'node:util';
import { buildAll } from './src/build-all.ts';
import { passOnSignals } from './src/signals.ts';

const { values } = parseArgs({ options: { arch: { type: 'string', default: process.arch } } });

passOnSignals();
await buildAll(values.arch);
