// SPDX-License-Identifier: Apache-2.0
import type { App, NameValue } from '@rkt/appc';
import type { ContainerConfig } from '@rkt/registry';
import { toMountPoints } from './mount-points.ts';
import { toPorts } from './ports.ts';

/** The app section of a container configuration. @throws ConversionError `CONFIG_INVALID` */
export function toApp(config: ContainerConfig): App {
  const environment = toEnvironment(config.env ?? []);
  const mountPoints = toMountPoints(config.volumes ?? []);
  const ports = toPorts(config.exposedPorts ?? []);
  const userLabels = Object.entries(config.labels ?? {}).sort(byName);
  return {
    exec: [...(config.entrypoint ?? []), ...(config.cmd ?? [])],
    ...toUser(config.user ?? ''),
    ...toWorkingDirectory(config.workingDir ?? ''),
    ...(environment.length === 0 ? {} : { environment }),
    ...(mountPoints.length === 0 ? {} : { mountPoints }),
    ...(ports.length === 0 ? {} : { ports }),
    ...(userLabels.length === 0 ? {} : { userLabels: Object.fromEntries(userLabels) }),
  };
}

/**
 * `user`, `user:group`, `:group` or nothing. appc wants a group: without one it is the user again, which a runtime takes
 * for the user's own groups when no group has that name.
 */
function toUser(text: string): { readonly user: string; readonly group: string } {
  const colon = text.indexOf(':');
  const user = (colon < 0 ? text : text.slice(0, colon)) || '0';
  const group = colon < 0 ? '' : text.slice(colon + 1);
  return { user, group: group || user };
}

/** Docker takes a relative directory from the root. */
function toWorkingDirectory(text: string): { readonly workingDirectory?: string } {
  if (text === '') return {};
  return { workingDirectory: text.startsWith('/') ? text : `/${text}` };
}

/** Split at the first `=`. What is no assignment, or cannot be an environment of Linux, is left out, as Docker does. */
function toEnvironment(assignments: readonly string[]): readonly NameValue[] {
  const variables = new Map<string, string>();
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    if (equals <= 0 || assignment.includes('\0')) continue;
    variables.set(assignment.slice(0, equals), assignment.slice(equals + 1));
  }
  return Array.from(variables, ([name, value]) => ({ name, value }));
}

function byName([left]: readonly [string, string], [right]: readonly [string, string]): number {
  return left < right ? -1 : 1;
}
