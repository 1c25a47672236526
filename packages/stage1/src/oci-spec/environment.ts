// SPDX-License-Identifier: Apache-2.0
import type { App, NameValue } from '@rkt/appc';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import type { ResolvedUser } from './user.ts';

export interface EnvironmentContext {
  readonly appName: string;
  readonly user: ResolvedUser;
  /** Adds TERM. @default false */
  readonly terminal?: boolean;
}

/**
 * The app's environment: what it states, and the variables every app may rely on (PATH, SHELL, USER, LOGNAME, HOME, and
 * TERM on a terminal) where it states none. AC_APP_NAME is always the pod's. Of a repeated name the last value counts.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_APP_INVALID for an empty name, one with `=`, or a NUL character
 */
export function appEnvironment(app: App, context: EnvironmentContext): readonly NameValue[] {
  const variables = new Map<string, string>();
  for (const { name, value } of app.environment ?? []) {
    if (name === '' || name.includes('=') || name.includes('\0') || value.includes('\0')) {
      const where = `environment variable ${quote(name)} of app ${quote(context.appName)}`;
      throw new Stage1Error('ERR_RKT_STAGE1_APP_INVALID', `${where} is not usable: empty name, "=" or NUL character`);
    }
    variables.set(name, value);
  }
  for (const [name, value] of defaults(context)) {
    if (!variables.has(name)) variables.set(name, value);
  }
  variables.set('AC_APP_NAME', context.appName);
  return Array.from(variables, ([name, value]) => ({ name, value }));
}

function defaults({ user, terminal }: EnvironmentContext): readonly (readonly [string, string])[] {
  const login = user.name ?? (user.uid === 0 ? 'root' : String(user.uid));
  return [
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['SHELL', '/bin/sh'],
    ['USER', login],
    ['LOGNAME', login],
    ['HOME', user.home],
    ...(terminal ? ([['TERM', 'xterm']] as const) : []),
  ];
}
