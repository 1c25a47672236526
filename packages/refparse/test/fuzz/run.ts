// SPDX-License-Identifier: Apache-2.0
//
// npm run fuzz -w @rkt/refparse [-- --seconds=60 --count=N --seed=N]

import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    count: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
  },
});
const seed = Number(values.seed);
process.stderr.write(`seed ${seed}\n`);
const checked = fuzz({ seed, count: Number(values.count), milliseconds: Number(values.seconds) * 1000 });
process.stdout.write(`${checked} inputs, all properties hold\n`);
