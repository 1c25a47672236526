// SPDX-License-Identifier: Apache-2.0
import { buildAll } from './src/build-all.ts';

await buildAll();
