// SPDX-License-Identifier: Apache-2.0
//
// What the executable has of the `openpgp` package: all of it, as the package has it for `require`.

module.exports = require('openpgp');
