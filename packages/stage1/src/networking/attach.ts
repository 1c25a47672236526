// SPDX-License-Identifier: Apache-2.0
import { type NetworkConfig, type PluginConfig, spokenVersions } from './network-config.ts';
import { cniCodeOf } from './plugin-failure.ts';
import type { Plugins } from './plugins.ts';
import { takesPortMappings } from './requests.ts';
import type { Attachment } from './types.ts';

export interface AttachTarget {
  readonly podId: string;
  /** Empty when the namespace is gone. */
  readonly netns: string;
  readonly signal: AbortSignal | undefined;
}

type Result = Readonly<Record<string, unknown>>;

const incompatibleVersion = 1;

/**
 * ADDs an interface: every plugin in order, each seeing the result of the one before. A list whose version a plugin does
 * not speak is run again at the highest that all of them do. After a failure the caller undoes it with {@link detach}.
 */
export async function attach(plugins: Plugins, attachment: Attachment, target: AttachTarget): Promise<Attachment> {
  try {
    return await addAll(plugins, attachment, target);
  } catch (error) {
    if (cniCodeOf(error) !== incompatibleVersion) throw error;
    const cniVersion = await commonVersion(plugins, attachment.network, target);
    if (cniVersion === undefined || cniVersion === attachment.network.cniVersion) throw error;
    await detach(plugins, attachment, target).catch(() => undefined);
    return await addAll(plugins, { ...attachment, network: { ...attachment.network, cniVersion } }, target);
  }
}

/**
 * DELs an interface: every plugin in reverse order, each seeing the result of the ADD where there is one. All are run;
 * the first failure is thrown afterwards.
 */
export async function detach(plugins: Plugins, attachment: Attachment, target: AttachTarget): Promise<void> {
  const failures: unknown[] = [];
  for (const plugin of attachment.network.plugins.toReversed()) {
    const config = configFor(plugin, attachment, attachment.result);
    const call = { command: 'DEL', type: plugin.type, ...parameters(attachment, target), config } as const;
    await plugins.call(call).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

async function addAll(plugins: Plugins, attachment: Attachment, target: AttachTarget): Promise<Attachment> {
  let result: Result | undefined;
  for (const plugin of attachment.network.plugins) {
    result = await addOne(plugins, plugin, { attachment, target, previous: result });
  }
  return result === undefined ? attachment : { ...attachment, result };
}

interface AddContext {
  readonly attachment: Attachment;
  readonly target: AttachTarget;
  readonly previous: Result | undefined;
}

const forwardingAttempts = 4;

/**
 * Port forwarding is tried several times: between its look at the chains every pod shares and its use of them, the
 * teardown of another pod may have removed them as the last one's. No lock helps: other data directories, and other
 * programs, use the same chains.
 */
async function addOne(plugins: Plugins, plugin: PluginConfig, context: AddContext): Promise<Result> {
  const { attachment, target, previous } = context;
  const config = configFor(plugin, attachment, previous);
  const call = { command: 'ADD', type: plugin.type, ...parameters(attachment, target), config } as const;
  const attempts = plugin.type === 'portmap' ? forwardingAttempts : 1;
  for (let attempt = 1; ; attempt++) {
    try {
      return await plugins.call(call);
    } catch (error) {
      if (attempt === attempts || target.signal?.aborted || cniCodeOf(error) === incompatibleVersion) throw error;
      await plugins.call({ ...call, command: 'DEL' });
    }
  }
}

/** CNI specification 1.0.0, "Deriving execution configuration from plugin configuration". */
function configFor(plugin: PluginConfig, attachment: Attachment, previous: Result | undefined): Result {
  const { capabilities: _capabilities, ...own } = plugin;
  const mappings = attachment.ports.map(({ protocol, hostPort, podPort, hostIP }) => ({
    ...{ protocol, hostPort, containerPort: podPort },
    ...(hostIP !== undefined && { hostIP }),
  }));
  return {
    ...own,
    cniVersion: attachment.network.cniVersion,
    name: attachment.network.name,
    ...(takesPortMappings(plugin) && mappings.length > 0 && { runtimeConfig: { portMappings: mappings } }),
    ...(previous && { prevResult: previous }),
  };
}

function parameters(
  attachment: Attachment,
  target: AttachTarget,
): { containerId: string; netns: string; ifName: string; args: string | undefined; signal: AbortSignal | undefined } {
  const { podId, netns, signal } = target;
  return { containerId: podId, netns, ifName: attachment.ifName, args: attachment.args, signal };
}

async function commonVersion(
  plugins: Plugins,
  network: NetworkConfig,
  target: AttachTarget,
): Promise<string | undefined> {
  const spoken = await Promise.all(network.plugins.map(({ type }) => versionsOf(plugins, type, target)));
  return spokenVersions.findLast((version) => spoken.every((versions) => versions.includes(version)));
}

async function versionsOf(plugins: Plugins, type: string, target: AttachTarget): Promise<readonly unknown[]> {
  const call = { containerId: target.podId, netns: target.netns, ifName: 'eth0', args: undefined } as const;
  const config = { cniVersion: spokenVersions.at(-1) };
  const answer = await plugins.call({ command: 'VERSION', type, ...call, config, signal: target.signal });
  const versions = answer['supportedVersions'];
  return Array.isArray(versions) ? versions : [];
}
