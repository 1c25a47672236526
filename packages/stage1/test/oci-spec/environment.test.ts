// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { appEnvironment } from '../../src/oci-spec/index.ts';

const root = { uid: 0, gid: 0, additionalGids: [], home: '/root' };
const environment = (variables: readonly (readonly [string, string])[], context = {}) =>
  Object.fromEntries(
    appEnvironment(
      { exec: ['/a'], user: '0', group: '0', environment: variables.map(([name, value]) => ({ name, value })) },
      { appName: 'web', user: root, ...context },
    ).map(({ name, value }) => [name, value]),
  );

describe('appEnvironment', () => {
  it('adds what every app may rely on', () => {
    expect(environment([])).toEqual({
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      SHELL: '/bin/sh',
      USER: 'root',
      LOGNAME: 'root',
      HOME: '/root',
      AC_APP_NAME: 'web',
    });
  });

  it('lets the app’s own values win, the last of a name, but for AC_APP_NAME', () => {
    const own = [
      ['PATH', '/a'],
      ['X', '1'],
      ['X', '2\n3'],
      ['HOME', ''],
      ['AC_APP_NAME', 'forged'],
    ] as const;
    expect(environment(own)).toMatchObject({ PATH: '/a', X: '2\n3', HOME: '', AC_APP_NAME: 'web' });
  });

  it('takes name and home from the user, and TERM from the terminal', () => {
    const user = { uid: 999, gid: 999, additionalGids: [], home: '/data', name: 'redis' };
    expect(environment([], { user, terminal: true })).toMatchObject({
      ...{ USER: 'redis', LOGNAME: 'redis', HOME: '/data', TERM: 'xterm' },
    });
    expect(environment([['TERM', 'vt100']], { terminal: true })).toMatchObject({ TERM: 'vt100' });
    expect(environment([], { user: { uid: 5, gid: 5, additionalGids: [], home: '/' } })).toMatchObject({ USER: '5' });
  });

  it.each([
    ['', 'x'],
    ['A=B', 'x'],
    ['A\0', 'x'],
    ['A', 'x\0y'],
  ])('refuses %j=%j', (name, value) => {
    expect(() => environment([[name, value]])).toThrow(expect.objectContaining({ code: 'ERR_RKT_STAGE1_APP_INVALID' }));
  });
});
