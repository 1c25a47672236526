// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from './command.ts';
import { format, noLegend, whichApp } from './output-flags.ts';
import {
  alwaysInteractive,
  appAddFlags,
  detach,
  enterFlags,
  interactive,
  noHealthcheck,
  restart,
  sandboxFlags,
} from './run-flags.ts';

/** `rkt app ...` */
export const appCommands: readonly CommandSpec[] = [
  {
    name: 'app add',
    summary: 'Add an app to a pod that was made by app sandbox',
    usage: 'POD IMAGE [FLAGS] [-- ARGS...]',
    description:
      'Flags and ARGS are those of an image with run. Prints the name of the app, which is to be started then.',
    flags: appAddFlags,
    operands: 'images',
    minimum: [2, 'must provide a pod UUID and an image'],
    maximum: 2,
    needsRoot: true,
  },
  {
    name: 'app exec',
    summary: 'Execute a command in an app of a pod',
    usage: 'POD [CMD [ARGS...]]',
    flags: [whichApp, alwaysInteractive, ...enterFlags],
    operands: 'before',
    minimum: [1, 'must provide a pod UUID'],
    needsRoot: true,
  },
  {
    name: 'app list',
    summary: 'List the apps of a pod',
    usage: 'POD',
    flags: [noLegend, format],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
  },
  {
    name: 'app rm',
    summary: 'Remove an app that does not run from a pod',
    usage: 'POD',
    flags: [whichApp],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
    needsRoot: true,
  },
  {
    name: 'app sandbox',
    summary: 'Run a pod without apps, which can be added to it',
    usage: '[FLAGS]',
    description: [
      'Prints the UUID when apps can be added, and keeps the pod until it gets SIGINT or SIGTERM or rkt stop is called:',
      'then what runs in it is stopped.',
    ].join('\n'),
    flags: sandboxFlags,
    operands: 'anywhere',
    maximum: 0,
    needsRoot: true,
  },
  {
    name: 'app start',
    summary: 'Start an app of a pod',
    usage: 'POD',
    description: [
      'In the foreground, with its status; or with --detach below a monitor, as run --detach does: then its name is',
      'printed when it has been started.',
    ].join('\n'),
    flags: [
      whichApp,
      interactive,
      { ...detach, summary: 'print the name of the app and leave it running' },
      restart,
      noHealthcheck,
    ],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
    needsRoot: true,
  },
  {
    name: 'app status',
    summary: 'Check the status of an app of a pod',
    usage: 'POD',
    flags: [whichApp, format],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
  },
  {
    name: 'app stop',
    summary: 'Stop an app of a pod',
    usage: 'POD',
    flags: [whichApp, { name: 'force', kind: 'boolean', default: 'false', summary: 'kill at once' }],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
    needsRoot: true,
  },
];
