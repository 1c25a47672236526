// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from './command.ts';
import { requirePath } from './global-flags.ts';
import { imageCommands } from './image-commands.ts';
import { obtainFlags } from './obtain-flags.ts';
import { format, full, grace, noLegend, prettyPrint, uuidFile } from './output-flags.ts';
import { prepareFlags, runFlags, runPreparedFlags } from './run-flags.ts';

/** Every command of rkt. */
export const commands: readonly CommandSpec[] = [
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
      'Everything rkt is configured with, merged, as JSON: its own directories, registries.conf, files of credentials,',
      'certificates and proxies, each with the file that says it. Passwords and tokens are left out; they are in that file.',
    ].join('\n'),
    flags: [prettyPrint],
    operands: 'anywhere',
    maximum: 0,
  },
  {
    name: 'enter',
    summary: 'Enter the namespaces of an app within a pod',
    usage: 'UUID [CMD [ARGS...]]',
    flags: [{ name: 'app', kind: 'text', placeholder: 'NAME', summary: 'the app, if the pod has several' }],
    operands: 'before',
    minimum: [1, 'must provide a pod UUID'],
    needsRoot: true,
  },
  {
    name: 'fetch',
    summary: 'Fetch images and store them in the local store',
    usage: 'IMAGE...',
    description: [
      'IMAGE is docker://[REGISTRY/]NAME[:TAG|@DIGEST], oci:DIRECTORY[:TAG], oci-archive:FILE[:TAG],',
      'docker-archive:FILE[:NAME:TAG], FILE.aci or an image ID. With - as the FILE of an archive, or as the IMAGE,',
      'an archive or an ACI comes on standard input.',
      'Prints one image ID per image on standard output.',
    ].join('\n'),
    flags: [full, ...obtainFlags('update')],
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
    summary: 'Prepare to run an image in a pod',
    usage: '[FLAGS] IMAGE [FLAGS] [-- ARGS...]',
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
    summary: 'Run an image in a pod',
    usage: '[FLAGS] IMAGE [FLAGS] [-- ARGS...]',
    description: [
      'IMAGE is docker://[REGISTRY/]NAME[:TAG|@DIGEST], oci:DIRECTORY[:TAG], oci-archive:FILE[:TAG],',
      'docker-archive:FILE[:NAME:TAG], FILE.aci or any unique prefix of an image ID.',
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
