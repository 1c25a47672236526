// SPDX-License-Identifier: Apache-2.0
import { buildAll } from './src/build-all.ts';
import { passOnSignals } from './src/signals.ts';

passOnSignals();
await buildAll();
