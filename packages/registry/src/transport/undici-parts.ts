// SPDX-License-Identifier: Apache-2.0
import type { Agent, buildConnector, Pool, ProxyAgent } from 'undici';

/** What connections without a proxy need. */
export interface ConnectionParts {
  readonly Agent: typeof Agent;
  readonly buildConnector: typeof buildConnector;
}

/** What connections through a proxy need besides. */
export interface ProxyParts {
  readonly Pool: typeof Pool;
  readonly ProxyAgent: typeof ProxyAgent;
}

/**
 * The two files of undici that a registry is spoken to with. Its entry evaluates fetch, WebSocket, mocks and caches as well,
 * which is 60 % of what this package would need to start. The dependency names one version exactly, so the files are there;
 * a test compares them with what the entry exports.
 */
export async function loadConnectionParts(): Promise<ConnectionParts> {
  const [agent, connect] = await Promise.all([
    import('undici/lib/dispatcher/agent.js'),
    import('undici/lib/core/connect.js'),
  ]);
  return { Agent: agent.default, buildConnector: connect.default };
}

/** For proxies the entry is needed: it adds methods to dispatchers that their agent calls. */
export async function loadProxyParts(): Promise<ProxyParts> {
  const { Pool, ProxyAgent } = await import('undici');
  return { Pool, ProxyAgent };
}
