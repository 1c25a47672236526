// SPDX-License-Identifier: Apache-2.0

import { appCommands } from './app-commands.ts';
import type { CommandSpec } from './command.ts';
import {
  attachCommand,
  healthCommand,
  killCommand,
  logsCommand,
  releaseCommand,
  waitCommand,
} from './detached-commands.ts';

import { parseDuration } from './duration.ts';
import type { FlagSpec } from './flag.ts';
import { requirePath } from './global-flags.ts';
import { imageCommands } from './image-commands.ts';
import { obtainFlags, platformFlag } from './obtain-flags.ts';
import {
  compression,
  everything,
  format,
  full,
  grace,
  idsAlone,
  noLegend,
  overwrite,
  prettyPrint,
  uuidFile,
  whichApp,
} from './output-flags.ts';
import { parsePatience } from './patience.ts';
import { alwaysInteractive, enterFlags, prepareFlags, runFlags, runPreparedFlags } from './run-flags.ts';
import { trustCommand } from './trust-command.ts';

function waiting(name: string, summary: string): FlagSpec {
  return { name, kind: 'text', placeholder: 'TIME', bare: 'true', default: 'false', check: parsePatience, summary };
}

/** Every command of rkt. */
export const commands: readonly CommandSpec[] = [
  ...appCommands,
  attachCommand,
  {
    name: 'cat-manifest',
    summary: 'Inspect and print the pod manifest',
    usage: 'POD',
    flags: [prettyPrint, format, uuidFile],
    operands: 'anywhere',
    maximum: 1,
  },
  {
    name: 'completion',
    summary: 'Print a completion script for bash, zsh or fish',
    usage: 'bash|zsh|fish',
    description:
      'For the shell that runs now: source <(rkt completion bash), or in fish rkt completion fish | source. The script says where to put it for every shell. Names of images and UUIDs of pods are completed, too.',
    flags: [],
    operands: 'anywhere',
    minimum: [1, 'must provide a shell'],
    maximum: 1,
  },
  {
    name: 'config',
    summary: 'Print the configuration that is in effect',
    usage: '',
    description: [
      'What rkt works with here, as JSON: data directory, flavor and the programs that run pods; and everything it is',
      'configured with, merged: its own directories, registries.conf, files of credentials, certificates and proxies, each',
      'with the file that says it. Passwords and tokens are left out; they are in that file.',
    ].join('\n'),
    flags: [prettyPrint, format],
    operands: 'anywhere',
    maximum: 0,
  },
  {
    name: 'enter',
    aliases: ['exec'],
    summary: 'Enter the namespaces of an app within a pod',
    usage: 'POD [CMD [ARGS...]]',
    flags: [whichApp, alwaysInteractive, ...enterFlags],
    operands: 'before',
    minimum: [1, 'must provide a pod UUID'],
    needsRoot: true,
  },
  {
    name: 'export',
    summary: 'Export an app of a pod that has ended to an ACI file',
    usage: 'POD FILE.aci',
    description: [
      'The ACI has the manifest of the image the app was run from, and its files as the app left them: what it wrote, without',
      'what it removed. Volumes are left out: where they were, there is what the image has; sockets are left out. fetch and run',
      'take it as any other ACI. A pod that runs is to be stopped first; until the file is whole, the pod is not removed. With -',
      'for the file, it goes to standard output.',
    ].join('\n'),
    flags: [whichApp, overwrite('output'), compression('gzip')],
    operands: 'anywhere',
    minimum: [2, 'must provide a pod UUID and an output file'],
    maximum: 2,
    needsRoot: true,
    endedFirst: true,
  },
  {
    name: 'fetch',
    aliases: ['pull', 'image pull'],
    summary: 'Fetch images and store them in the local store',
    usage: 'IMAGE...',
    description: [
      'IMAGE is docker://[REGISTRY/]NAME[:TAG|@DIGEST], oci:DIRECTORY[:NAME], oci-archive:FILE[:NAME],',
      'docker-archive:FILE[:NAME:TAG], rootfs:FILE[:NAME:TAG] (a tar of files alone), FILE.aci, https://HOST/FILE.aci,',
      'the name of an ACI that is discovered, DOMAIN/NAME[:VERSION][,LABEL=VALUE...], or an image ID. With - as the FILE of',
      'an archive, or as the IMAGE, an archive or an ACI comes on standard input. One that fails does not keep the others',
      'from being fetched.',
      'ACIs are verified by the signature beside them, IMAGE.asc, and the keys of rkt trust; dependencies are discovered.',
      'Prints one image ID per image on standard output.',
    ].join('\n'),
    flags: [full, format, ...obtainFlags('update')],
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
      format,
    ],
    operands: 'anywhere',
    maximum: 0,
    needsRoot: true,
  },
  {
    name: 'help',
    summary: 'Help about any command',
    usage: '[COMMAND]',
    flags: [
      {
        name: 'man-pages',
        kind: 'text',
        placeholder: 'DIRECTORY',
        check: requirePath,
        summary: 'write the man pages of all commands into a directory instead, such as /usr/local/share/man/man1',
      },
    ],
    operands: 'anywhere',
  },
  ...imageCommands,
  healthCommand,
  {
    name: 'inspect',
    isNew: true,
    summary: 'Print what is known of pods and images, as JSON',
    usage: 'POD|IMAGE...',
    description:
      'What is both is the pod. Of a pod it is what status and cat-manifest print, of an image what image inspect prints.',
    flags: [
      { name: 'type', kind: 'text', choices: ['pod', 'image'], summary: 'look for pods alone, or images alone' },
      prettyPrint,
      format,
      platformFlag,
    ],
    operands: 'anywhere',
    minimum: [1, 'must provide a pod or an image'],
  },
  killCommand,
  {
    name: 'list',
    aliases: ['ls'],
    summary: 'List pods',
    usage: '',
    description: 'The newest pod is the last.',
    flags: [noLegend, full, idsAlone, everything, format],
    operands: 'anywhere',
    maximum: 0,
  },
  logsCommand,
  {
    name: 'prepare',
    summary: 'Prepare to run images in a pod',
    usage: '[FLAGS] IMAGE [FLAGS] [-- ARGS...] [--- IMAGE ...]',
    flags: prepareFlags,
    operands: 'images',
    needsRoot: true,
  },
  {
    name: 'ps',
    isNew: true,
    summary: 'List pods that run',
    usage: '',
    description: 'What rkt list shows, without pods that are prepared or have ended.',
    flags: [
      noLegend,
      full,
      idsAlone,
      {
        name: 'all',
        short: 'a',
        kind: 'boolean',
        default: 'false',
        summary: 'also those that do not run, as rkt list',
      },
      format,
    ],
    operands: 'anywhere',
    maximum: 0,
  },
  releaseCommand,
  {
    name: 'rm',
    summary: 'Remove all files and resources associated with exited pods',
    usage: 'POD...',
    flags: [
      { name: 'force', short: 'f', kind: 'boolean', default: 'false', summary: 'kill pods that run first' },
      format,
      uuidFile,
    ],
    operands: 'anywhere',
    needsRoot: true,
    endedFirst: true,
  },
  {
    name: 'run',
    summary: 'Run images in a pod',
    usage: '[FLAGS] IMAGE [FLAGS] [-- ARGS...] [--- IMAGE ...]',
    description: [
      'IMAGE is docker://[REGISTRY/]NAME[:TAG|@DIGEST], oci:DIRECTORY[:NAME], oci-archive:FILE[:NAME],',
      'docker-archive:FILE[:NAME:TAG], rootfs:FILE[:NAME:TAG], FILE.aci, https://HOST/FILE.aci, the name of an ACI, as with',
      'fetch, or any unique prefix of an image ID.',
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
    usage: 'POD',
    flags: runPreparedFlags,
    operands: 'anywhere',
    minimum: [1, 'must provide a pod UUID'],
    maximum: 1,
    needsRoot: true,
  },
  {
    name: 'status',
    summary: 'Check the status of a pod',
    usage: 'POD',
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
    usage: 'POD...',
    flags: [
      { name: 'force', kind: 'boolean', default: 'false', summary: 'kill at once' },
      {
        name: 'timeout',
        short: 't',
        aliases: ['time'],
        kind: 'text',
        placeholder: 'DURATION',
        default: '10s',
        check: parseDuration,
        summary: 'how long the apps may take to end before they are killed',
      },
      format,
      uuidFile,
    ],
    operands: 'anywhere',
    needsRoot: true,
  },
  trustCommand,
  {
    name: 'version',
    summary: 'Print the version and exit',
    usage: '',
    flags: [format],
    operands: 'anywhere',
    maximum: 0,
  },
  waitCommand,
];
