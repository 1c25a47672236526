// SPDX-License-Identifier: Apache-2.0
//
// Stands in for the `openpgp` package inside the executable: a script of its own, unchanged, which only what verifies a
// signature or reads a key evaluates. In the program it would be read at every start.

const { getAsset } = require('node:sea');
const { Script } = require('node:vm');

const script = new Script(getAsset('openpgp.cjs', 'utf8'), { filename: 'openpgp.cjs' });
script.runInThisContext()(module, require, process.execPath);
