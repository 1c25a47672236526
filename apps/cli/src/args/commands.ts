// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from './command.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { parseDuration } from './duration.ts';
import type { FlagSpec } from './flag.ts';
import { parseSince, parseTail } from './log-range.ts';
import { pullPolicyFlag } from './pull-policy.ts';
import { prepareFlags, progressFlags, runFlags, runPreparedFlags } from './run-flags.ts';
import { parseSignal } from './signal.ts';

const noLegend: FlagSpec = { name: 'no-legend', kind: 'boolean', default: 'false', summary: 'leave out the header' };
const full: FlagSpec = { name: 'full', kind: 'boolean', default: 'false', summary: 'show values in full' };
const format: FlagSpec = {
  name: 'format',
  kind: 'text',
  placeholder: 'FORM',
  choices: ['json', 'json-pretty'],
  summary: 'print json or json-pretty instead',
};
const overwrite: FlagSpec = {
  name: 'overwrite',
  kind: 'boolean',
  default: 'false',
  summary: 'replace the file if it exists',
};
const prettyPrint: FlagSpec = {
  name: 'pretty-print',
  kind: 'boolean',
  default: 'true',
  summary: 'indent the JSON',
};
const uuidFile: FlagSpec = {
  name: 'uuid-file',
  kind: 'text',
  placeholder: 'FILE',
  summary: 'read the UUID from a file',
};

const whichApp: FlagSpec = {
  name: 'app',
  kind: 'text',
  placeholder: 'NAME',
  summary: 'the app, if the pod has several',
};

function grace(name: string, value: string, summary: string): FlagSpec {
  return { name, kind: 'text', placeholder: 'DURATION', default: value, check: parseDuration, summary };
}

const imageFields = ['id', 'name', 'size', 'importtime', 'lastused'];

function checkFields(csv: string): void {
  const unknown = csv.split(',').find((field) => !imageFields.includes(field));
  if (unknown !== undefined) throw new Error(`unknown option "${unknown}"; known are ${imageFields.join(', ')}`);
}

const imageCommands: readonly CommandSpec[] = [
  {
    name: 'image cat-manifest',
    summary: 'Inspect and print the image manifest',
    usage: 'IMAGE',
    flags: [prettyPrint],
    operands: 'anywhere',
    minimum: [1, 'must provide an image'],
    maximum: 1,
  },
  {
    name: 'image export',
    summary: 'Export a stored image to an ACI file',
    usage: 'IMAGE OUTPUT_ACI_FILE',
    description:
      'The file is an uncompressed ACI; its SHA-512 is the ID of the image. With - it goes to standard output.',
    flags: [overwrite],
    operands: 'anywhere',
    minimum: [2, 'must provide an image and an output file'],
    maximum: 2,
  },
  {
    name: 'image gc',
    summary: 'Garbage collect the local store',
    usage: '',
    flags: [grace('grace-period', '24h', 'images used within this time stay')],
    operands: 'anywhere',
    maximum: 0,
    needsRoot: true,
  },
  {
    name: 'image list',
    summary: 'List images in the local store',
    usage: '',
    flags: [
      {
        name: 'fields',
        kind: 'text',
        placeholder: 'LIST',
        default: imageFields.join(','),
        check: checkFields,
        summary: `columns to show: ${imageFields.join(', ')}`,
      },
      {
        name: 'sort',
        kind: 'text',
        placeholder: 'LIST',
        default: 'importtime',
        check: checkFields,
        summary: 'fields to sort by',
      },
      { name: 'order', kind: 'text', default: 'asc', choices: ['asc', 'desc'], summary: 'asc or desc' },
      noLegend,
      full,
      format,
    ],
    operands: 'anywhere',
    maximum: 0,
  },
  {
    name: 'image rm',
    summary: 'Remove images from the local store',
    usage: 'IMAGE...',
    flags: [],
    operands: 'anywhere',
    minimum: [1, 'must provide at least one image ID'],
  },
  {
    name: 'image verify',
    summary: 'Verify images in the local store and repair their trees',
    usage: '[IMAGE...]',
    description: 'Derives everything from the stored layers again. Without an image, all are verified.',
    flags: [],
    operands: 'anywhere',
  },
];

/** Every command of rkt. */
export const commands: readonly CommandSpec[] = [
  {
    name: 'attach',
    summary: 'Attach to a running, detached app',
    usage: 'UUID',
    description: [
      'Shows what the app writes from now on, and passes on standard input if the app was run with --interactive. Ends with',
      'the app and its status, or with status 0 when the detach keys are typed: then the app goes on.',
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
  },
  {
    name: 'cat-manifest',
    summary: 'Inspect and print the pod manifest',
    usage: 'UUID',
    flags: [prettyPrint, uuidFile],
    operands: 'anywhere',
    maximum: 1,
  },
  {
    name: 'completion',
    summary: 'Print a completion script for bash or zsh',
    usage: 'bash|zsh',
    flags: [],
    operands: 'anywhere',
    minimum: [1, 'must provide a shell'],
    maximum: 1,
  },
  {
    name: 'enter',
    summary: 'Enter the namespaces of an app within a pod',
    usage: 'UUID [CMD [ARGS...]]',
    flags: [whichApp],
    operands: 'before',
    minimum: [1, 'must provide a pod UUID'],
    needsRoot: true,
  },
  {
    name: 'fetch',
    summary: 'Fetch images and store them in the local store',
    usage: 'IMAGE...',
    description: [
      'IMAGE is docker://[REGISTRY/]NAME[:TAG|@DIGEST], oci:DIRECTORY[:TAG], docker-archive:FILE[:NAME:TAG] or an image ID.',
      'Prints one image ID per image on standard output.',
    ].join('\n'),
    flags: [full, pullPolicyFlag('update'), ...progressFlags],
    operands: 'anywhere',
    minimum: [1, 'must provide at least one image'],
  },
  {
    name: 'gc',
    summary: 'Garbage collect pods no longer in use',
    usage: '[--grace-period=DURATION] [--expire-prepared=DURATION]',
    description: [
      'Meant to be run periodically, by a timer or cron job. Exited pods are first moved to the garbage; a later run',
      'removes them when the grace period has passed.',
    ].join('\n'),
    flags: [
      grace('grace-period', '30m', 'how long an exited pod stays in the garbage'),
      grace('expire-prepared', '24h', 'how long a prepared pod may wait to be run'),
      { name: 'mark-only', kind: 'boolean', default: 'false', summary: 'move pods to the garbage, remove nothing' },
    ],
    operands: 'anywhere',
    maximum: 0,
    needsRoot: true,
  },
  {
    name: 'help',
    summary: 'Help about any command',
    usage: '[COMMAND]',
    flags: [],
    operands: 'anywhere',
  },
  ...imageCommands,
  {
    name: 'kill',
    summary: 'Send a signal to an app of a pod',
    usage: 'UUID...',
    flags: [
      {
        name: 'signal',
        letter: 's',
        kind: 'text',
        placeholder: 'SIGNAL',
        default: 'SIGKILL',
        check: parseSignal,
        summary: 'name or number of the signal',
      },
      whichApp,
      uuidFile,
    ],
    operands: 'anywhere',
    needsRoot: true,
  },
  {
    name: 'list',
    summary: 'List pods',
    usage: '',
    flags: [noLegend, full, format],
    operands: 'anywhere',
    maximum: 0,
  },
  {
    name: 'logs',
    summary: 'Print what a detached app has written',
    usage: 'UUID',
    description: [
      "As the app wrote it: its standard output to standard output, its standard error to standard error. The app's log",
      'file holds at most 64 MiB, with the time of every line; when it is full, it is begun anew.',
    ].join('\n'),
    flags: [
      { name: 'follow', letter: 'f', kind: 'boolean', default: 'false', summary: 'go on until the app ends' },
      {
        name: 'tail',
        letter: 'n',
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
      { name: 'timestamps', letter: 't', kind: 'boolean', default: 'false', summary: 'before every line its time' },
      whichApp,
      uuidFile,
    ],
    operands: 'anywhere',
    maximum: 1,
    needsRoot: true,
  },
  {
    name: 'prepare',
    summary: 'Prepare to run an image in a pod',
    usage: '[FLAGS] IMAGE [FLAGS] [-- ARGS...]',
    flags: prepareFlags,
    operands: 'images',
    needsRoot: true,
  },
  {
    name: 'release',
    summary: 'Release what an ended pod has of the host',
    description: 'Executed by the monitor of a detached app when that has ended.',
    usage: 'UUID',
    flags: [{ name: 'rm', kind: 'boolean', default: 'false', summary: 'remove the pod, too' }],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
    needsRoot: true,
    hidden: true,
  },
  {
    name: 'rm',
    summary: 'Remove all files and resources associated with exited pods',
    usage: 'UUID...',
    flags: [uuidFile],
    operands: 'anywhere',
    needsRoot: true,
  },
  {
    name: 'run',
    summary: 'Run an image in a pod',
    usage: '[FLAGS] IMAGE [FLAGS] [-- ARGS...]',
    description: [
      'IMAGE is docker://[REGISTRY/]NAME[:TAG|@DIGEST], oci:DIRECTORY[:TAG], docker-archive:FILE[:NAME:TAG] or any',
      'unique prefix of an image ID.',
      'ARGS take the place of the command of a Docker image and are appended to that of an ACI; --exec replaces the',
      'executable. Flags that belong to an image come after it, or before it if it is the only one.',
    ].join('\n'),
    flags: runFlags,
    operands: 'images',
    needsRoot: true,
  },
  {
    name: 'run-prepared',
    summary: 'Run a prepared pod',
    usage: 'UUID',
    flags: runPreparedFlags,
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
    needsRoot: true,
  },
  {
    name: 'status',
    summary: 'Check the status of a pod',
    usage: 'UUID',
    flags: [format, uuidFile],
    operands: 'anywhere',
    maximum: 1,
  },
  {
    name: 'stop',
    summary: 'Stop pods',
    usage: 'UUID...',
    flags: [
      { name: 'force', kind: 'boolean', default: 'false', summary: 'kill at once' },
      {
        name: 'timeout',
        letter: 't',
        kind: 'text',
        placeholder: 'DURATION',
        default: '10s',
        check: parseDuration,
        summary: 'how long the apps may take to end before they are killed',
      },
      uuidFile,
    ],
    operands: 'anywhere',
    needsRoot: true,
  },
  {
    name: 'version',
    summary: 'Print the version and exit',
    usage: '',
    flags: [],
    operands: 'anywhere',
    maximum: 0,
  },
  {
    name: 'wait',
    summary: 'Wait for pods to end and print the status of an app',
    usage: 'UUID...',
    flags: [whichApp, uuidFile],
    operands: 'anywhere',
    needsRoot: true,
  },
];
