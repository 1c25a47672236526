// SPDX-License-Identifier: Apache-2.0
//
// In the place of undici's client for HTTP/2, which no registry is asked to speak (`allowH2`): Node's own modules for it take 10 ms
// to load.

module.exports = function connectH2() {
  throw new Error('rkt speaks no HTTP/2');
};
