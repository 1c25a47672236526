// SPDX-License-Identifier: Apache-2.0
import type { FlagSpec } from './flag.ts';

const instead: Readonly<Record<string, string>> = {
  host: 'programs that are to see the processes of the host run with --flavor=fly',
  container: 'apps that are to see each other are apps of one pod: IMAGE1 --- IMAGE2',
};

/** Called as docker and podman call it. Kubernetes' `shareProcessNamespace: true` is `pod`. */
export const pid: FlagSpec = {
  name: 'pid',
  kind: 'text',
  default: 'app',
  choices: ['app', 'pod'],
  check: refuseForeign,
  summary: 'PID namespace of each app: app, one of its own, or pod, where all apps see and may signal each other',
};

/** Throws an Error for what docker and podman take, with what has its place. */
function refuseForeign(text: string): void {
  const [kind = ''] = text.split(':');
  if (Object.hasOwn(instead, kind)) throw new Error(`it must be app or pod; ${instead[kind]}`);
}
