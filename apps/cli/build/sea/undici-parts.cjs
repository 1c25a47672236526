// SPDX-License-Identifier: Apache-2.0
//
// What the executable has of the `undici` package: the parts that @rkt/registry uses, each evaluated when it is first asked
// for. The package's own entry evaluates fetch, WebSocket and caches as well, 45 ms that every fetch would pay.

module.exports = {
  get Agent() {
    return require('undici/lib/dispatcher/agent.js');
  },
  get buildConnector() {
    return require('undici/lib/core/connect.js');
  },
  // For proxies. They need methods that the package's entry adds to its dispatchers.
  get Pool() {
    return require('undici/index.js').Pool;
  },
  get ProxyAgent() {
    return require('undici/index.js').ProxyAgent;
  },
};
