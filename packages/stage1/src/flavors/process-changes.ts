// SPDX-License-Identifier: Apache-2.0
import type { ResolvedUser } from '../oci-spec/index.ts';

/** In what a command that is executed beside an app is not to be as the app is. */
export interface ProcessChanges {
  readonly user?: ResolvedUser;
  /** Capabilities that the app's isolators ask for, which another user has as well as root. Absent: they ask for none. */
  readonly capabilitiesRetain?: readonly string[];
  /** An absolute path without links. */
  readonly cwd?: string;
  /** `NAME=value`: over the app's own. */
  readonly env: readonly string[];
}

interface ProcessPlace {
  readonly env: readonly string[];
  readonly cwd: string;
}

/** Where a changed process is, and with which environment. On a terminal it knows of one, also where the app has none. */
export function changedPlace(own: ProcessPlace, { cwd, env }: ProcessChanges, tty: boolean): ProcessPlace {
  const variables = new Map([...own.env, ...env].map((variable) => [nameOf(variable), variable]));
  if (tty && !variables.has('TERM')) variables.set('TERM', 'TERM=xterm');
  return { env: [...variables.values()], cwd: cwd ?? own.cwd };
}

function nameOf(variable: string): string {
  return variable.slice(0, variable.indexOf('='));
}
