// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { type ConmonRequest, conmonArguments } from '../../src/monitor/conmon-arguments.ts';
import { monitorFiles } from '../../src/monitor/index.ts';

const request: ConmonRequest = {
  app: 'web',
  files: monitorFiles('/d/pods/run/x', 'web'),
  runtime: ['/usr/bin/nsenter', '--mount=/proc/7/ns/mnt', '/usr/bin/crun', '--root', '/r'],
  stdin: false,
  terminal: false,
  options: {},
};

it('has the runtime create the container, and everything kept beside the app', () => {
  const args = conmonArguments(request);
  const of = (name: string): string | undefined => args[args.indexOf(name) + 1];
  expect(of('--runtime')).toBe('/usr/bin/nsenter');
  expect(args.filter((arg) => arg.startsWith('--runtime-arg'))).toEqual([
    '--runtime-arg=--mount=/proc/7/ns/mnt',
    '--runtime-arg=/usr/bin/crun',
    '--runtime-arg=--root',
    '--runtime-arg=/r',
  ]);
  expect(of('--bundle')).toBe('/d/pods/run/x/apps/web/bundle');
  expect(of('--exit-dir')).toBe('/d/pods/run/x/apps/web/exit');
  expect(of('--log-path')).toBe('k8s-file:/d/pods/run/x/apps/web/log');
  expect(of('--log-size-max')).toBe('67108864');
  for (const absent of ['--stdin', '--terminal', '--exit-command']) expect(args).not.toContain(absent);
});

it('connects what is asked for, and takes no argument of the exit command for its own', () => {
  const options = { maxLogBytes: 10, onExit: ['/usr/bin/rkt', '--dir=/d', 'release', 'x'] };
  const args = conmonArguments({ ...request, stdin: true, terminal: true, options });
  expect(args).toEqual(expect.arrayContaining(['--stdin', '--leave-stdin-open', '--terminal']));
  expect(args[args.indexOf('--log-size-max') + 1]).toBe('10');
  expect(args.slice(args.indexOf('--exit-command'))).toEqual([
    '--exit-command',
    '/usr/bin/rkt',
    '--exit-command-arg=--dir=/d',
    '--exit-command-arg=release',
    '--exit-command-arg=x',
  ]);
});
