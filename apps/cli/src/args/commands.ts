// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from './command.ts';
import { parseDuration } from './duration.ts';
import type { FlagSpec } from './flag.ts';
import { parsePatience } from './patience.ts';
import { pullPolicyFlag } from './pull-policy.ts';
import {
  appAddFlags,
  interactive,
  prepareFlags,
  progressFlags,
  runFlags,
  runPreparedFlags,
  sandboxFlags,
} from './run-flags.ts';

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

function grace(name: string, value: string, summary: string): FlagSpec {
  return { name, kind: 'text', placeholder: 'DURATION', default: value, check: parseDuration, summary };
}

function waiting(name: string, summary: string): FlagSpec {
  return { name, kind: 'text', placeholder: 'TIME', bare: 'true', default: 'false', check: parsePatience, summary };
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

const chosenApp: FlagSpec = {
  name: 'app',
  kind: 'text',
  placeholder: 'NAME',
  summary: 'the app, if the pod has several',
};

const appCommands: readonly CommandSpec[] = [
  {
    name: 'app add',
    summary: 'Add an app to a pod that was made by app sandbox',
    usage: 'UUID IMAGE [FLAGS] [-- ARGS...]',
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
    usage: 'UUID [CMD [ARGS...]]',
    flags: [chosenApp],
    operands: 'before',
    minimum: [1, 'must provide a pod UUID'],
    needsRoot: true,
  },
  {
    name: 'app list',
    summary: 'List the apps of a pod',
    usage: 'UUID',
    flags: [noLegend, format],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
  },
  {
    name: 'app rm',
    summary: 'Remove an app that does not run from a pod',
    usage: 'UUID',
    flags: [chosenApp],
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
    summary: 'Start an app of a pod, in the foreground',
    usage: 'UUID',
    flags: [chosenApp, interactive],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
    needsRoot: true,
  },
  {
    name: 'app status',
    summary: 'Check the status of an app of a pod',
    usage: 'UUID',
    flags: [chosenApp, format],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
  },
  {
    name: 'app stop',
    summary: 'Stop an app of a pod',
    usage: 'UUID',
    flags: [chosenApp, { name: 'force', kind: 'boolean', default: 'false', summary: 'kill at once' }],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
    needsRoot: true,
  },
];

/** Every command of rkt. */
export const commands: readonly CommandSpec[] = [
  ...appCommands,
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
    flags: [chosenApp],
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
    name: 'list',
    summary: 'List pods',
    usage: '',
    flags: [noLegend, full, format],
    operands: 'anywhere',
    maximum: 0,
  },
  {
    name: 'prepare',
    summary: 'Prepare to run images in a pod',
    usage: '[FLAGS] IMAGE [FLAGS] [-- ARGS...] [--- IMAGE ...]',
    flags: prepareFlags,
    operands: 'images',
    needsRoot: true,
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
    summary: 'Run images in a pod',
    usage: '[FLAGS] IMAGE [FLAGS] [-- ARGS...] [--- IMAGE ...]',
    description: [
      'IMAGE is docker://[REGISTRY/]NAME[:TAG|@DIGEST], oci:DIRECTORY[:TAG], docker-archive:FILE[:NAME:TAG] or any',
      'unique prefix of an image ID.',
      'ARGS take the place of the command of a Docker image and are appended to that of an ACI; --exec replaces the',
      'executable. Flags that belong to an image come after it, or before it if it is the only one. After ARGS, --- begins',
      'the next image: IMAGE1 --name=a -- ARGS --- IMAGE2 --name=b.',
      'The status is that of the app that failed first; 0 if none did. When one fails, the others are stopped.',
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
    description: [
      'Prints key=value lines; app-NAME is the exit status of an app that has ended. With --wait or --wait-ready, what is',
      'printed is how things stand when that has come about; when the time given is over before, rkt fails.',
    ].join('\n'),
    flags: [
      waiting('wait', 'wait until the pod has exited, or for so long: true, false, 30s'),
      waiting('wait-ready', 'wait until every app of the pod has been started, or for so long: true, false, 30s'),
      format,
      uuidFile,
    ],
    operands: 'anywhere',
    maximum: 1,
  },
  {
    name: 'stop',
    summary: 'Stop pods',
    usage: 'UUID...',
    flags: [{ name: 'force', kind: 'boolean', default: 'false', summary: 'kill at once' }, uuidFile],
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
];
