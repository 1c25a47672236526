// SPDX-License-Identifier: Apache-2.0
//
// Stands in for the `undici` package inside the executable: a script of its own, which only what asks a registry reads. In
// the program it would be more than half of it, and cost every other command 4 ms at its start.

const { getAsset, getRawAsset } = require('node:sea');
const { Script } = require('node:vm');

const cachedData = new Uint8Array(getRawAsset('undici.cache'));
const script = new Script(getAsset('undici.cjs', 'utf8'), { filename: 'undici.cjs', cachedData });
script.runInThisContext()(module, require);
