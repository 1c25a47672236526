// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from './command.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { parseSince, parseTail } from './log-range.ts';
import { format, uuidFile, whichApp } from './output-flags.ts';
import { noHealthcheck, onAppFailure, restart, rm } from './run-flags.ts';
import { parseSignal } from './signal.ts';

export const attachCommand: CommandSpec = {
  name: 'attach',
  summary: 'Attach to a running, detached app',
  usage: 'POD',
  description: [
    'Shows what the app writes from now on, and passes on standard input if the app was run with --interactive. Ends with',
    'the app and its status, or with status 0 when the detach keys are typed: then the app goes on. So it does after the',
    'third SIGINT or SIGTERM, which is not passed on.',
  ].join('\n'),
  flags: [
    whichApp,
    {
      name: 'detach-keys',
      kind: 'text',
      placeholder: 'KEYS',
      default: 'ctrl-p,ctrl-q',
      check: parseDetachKeys,
      summary: 'keys that leave the app, on a terminal; none if empty',
    },
    { name: 'no-stdin', kind: 'boolean', default: 'false', summary: 'do not pass on standard input' },
    {
      name: 'sig-proxy',
      kind: 'boolean',
      default: 'true',
      summary: 'pass signals on to the app; otherwise they leave it',
    },
    uuidFile,
  ],
  operands: 'anywhere',
  maximum: 1,
  needsRoot: true,
};

export const healthCommand: CommandSpec = {
  name: 'health',
  isNew: true,
  summary: 'Check once whether an app is healthy',
  description: 'Executed as often as the health check of the image of the app says.',
  usage: 'UUID',
  flags: [whichApp],
  operands: 'anywhere',
  minimum: [1, 'must provide a pod UUID'],
  maximum: 1,
  needsRoot: true,
  hidden: true,
};

export const killCommand: CommandSpec = {
  name: 'kill',
  isNew: true,
  summary: 'Send a signal to an app of a pod',
  usage: 'POD...',
  flags: [
    {
      name: 'signal',
      short: 's',
      kind: 'text',
      placeholder: 'SIGNAL',
      default: 'SIGKILL',
      check: parseSignal,
      summary: 'name or number of the signal',
    },
    whichApp,
    format,
    uuidFile,
  ],
  operands: 'anywhere',
  needsRoot: true,
};

export const logsCommand: CommandSpec = {
  name: 'logs',
  isNew: true,
  summary: 'Print what a detached app has written',
  usage: 'POD',
  description: [
    "As the app wrote it: its standard output to standard output, its standard error to standard error. The app's log",
    'file holds at most 64 MiB, with the time of every line; when it is full, it is begun anew.',
  ].join('\n'),
  flags: [
    { name: 'follow', short: 'f', kind: 'boolean', default: 'false', summary: 'go on until the app ends' },
    {
      name: 'tail',
      short: 'n',
      kind: 'text',
      placeholder: 'LINES',
      default: 'all',
      check: parseTail,
      summary: 'so many of the last lines',
    },
    {
      name: 'since',
      kind: 'text',
      placeholder: 'TIME',
      check: (text) => parseSince(text, 0),
      summary: 'what was written since: 10m for the last ten minutes, or 2026-01-02T03:04:05Z',
    },
    { name: 'timestamps', short: 't', kind: 'boolean', default: 'false', summary: 'before every line its time' },
    whichApp,
    uuidFile,
  ],
  operands: 'anywhere',
  maximum: 1,
  needsRoot: true,
};

export const releaseCommand: CommandSpec = {
  name: 'release',
  isNew: true,
  summary: 'Release what an ended pod has of the host',
  description: 'Executed by the monitor of a detached app when that has ended.',
  usage: 'UUID',
  flags: [
    ...[rm, restart, noHealthcheck, onAppFailure],
    { name: 'due', kind: 'boolean', default: 'false', summary: 'start the app again without waiting before' },
    { ...whichApp, summary: 'the app that has ended' },
  ],
  operands: 'anywhere',
  minimum: [1, 'must provide a pod UUID'],
  maximum: 1,
  needsRoot: true,
  hidden: true,
};

export const waitCommand: CommandSpec = {
  name: 'wait',
  isNew: true,
  summary: 'Wait for pods to end and print the status of an app',
  usage: 'POD...',
  description: [
    'With --condition=healthy until every app is healthy whose image has a health check, and prints nothing; fails when the',
    'pod ends before.',
  ].join('\n'),
  flags: [
    whichApp,
    {
      name: 'condition',
      kind: 'text',
      default: 'exited',
      choices: ['exited', 'healthy'],
      summary: 'what to wait for: exited or healthy',
    },
    format,
    uuidFile,
  ],
  operands: 'anywhere',
  needsRoot: true,
};
