// SPDX-License-Identifier: Apache-2.0
//
// Stands in for the `undici` package inside the executable: a script of its own, which only what asks a registry reads. In
// the program it would be more than half of it, and cost every other command 4 ms at its start.

const { embeddedScript } = require('./embedded-script.ts');

embeddedScript('undici')(module, require);
