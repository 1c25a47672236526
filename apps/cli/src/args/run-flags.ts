// SPDX-License-Identifier: Apache-2.0

import { requireAcName } from '../pods/ac-name.ts';
import { fromDockerMount, fromDockerVolume } from '../pods/docker-volume.ts';
import { checkPortFlag } from '../pods/exposed-port.ts';
import { parseOomScoreAdj, parseSeccompFlag } from '../pods/isolator-flags.ts';
import { parsePublishFlag } from '../pods/publish-flag.ts';
import { parseBytes, parseQuantity } from '../pods/quantity.ts';
import { parseMountedVolume, parseMountFlag, parseVolumeFlag } from '../pods/volume-flag.ts';
import { parseAssignment } from './assignment.ts';
import { type FlagSpec, refuseFalse } from './flag.ts';
import { obtainFlags } from './obtain-flags.ts';
import { pid } from './pid-namespace.ts';
import { parseRestartPolicy } from './restart-policy.ts';
import { splitUser } from './split-user.ts';

/** `USER:GROUP`, as docker has them in one, for the two flags they are. */
function userAndGroup(text: string): Readonly<Record<string, string>> | undefined {
  const { user, group } = splitUser(text);
  return group === undefined ? undefined : { user, group };
}

const networking: readonly FlagSpec[] = [
  {
    name: 'net',
    aliases: ['network'],
    kind: 'text',
    placeholder: 'NETWORKS',
    bare: 'default',
    familiar: ['default', 'default-restricted', 'host', 'none', 'all'],
    repeat: true,
    summary:
      'networks of the pod: default, default-restricted, all, host, none or configured ones; n[:args],..., as in lan:IP=10.1.0.9',
  },
  { name: 'hostname', kind: 'text', placeholder: 'NAME', summary: 'host name of the pod (default: rkt-UUID)' },
  { name: 'dns', kind: 'text', placeholder: 'IP', repeat: true, summary: 'name server; or host, or none' },
  { name: 'dns-search', kind: 'text', placeholder: 'DOMAIN', repeat: true, summary: 'DNS search domain' },
  { name: 'dns-opt', kind: 'text', placeholder: 'OPTION', repeat: true, summary: 'resolver option' },
  { name: 'dns-domain', kind: 'text', placeholder: 'DOMAIN', summary: 'DNS domain' },
  {
    name: 'hosts-entry',
    kind: 'text',
    placeholder: 'IP=HOST',
    repeat: true,
    summary: "line of the pod's /etc/hosts; or host for the host's file",
  },
];

/** What describes a pod but not one of its apps. */
const pod: readonly FlagSpec[] = [
  {
    name: 'port',
    kind: 'text',
    placeholder: 'NAME:[IP:]PORT',
    repeat: true,
    check: checkPortFlag,
    summary: 'forward a port of the host to a port of the pod, by its name or number (6379-tcp)',
  },
  {
    name: 'publish',
    short: 'p',
    kind: 'text',
    placeholder: '[[IP:][HOSTPORT]:]PORT[/PROTOCOL]',
    repeat: true,
    check: parsePublishFlag,
    summary: 'forward any port as docker does, from one that is free if none is given; ranges: 8000-8010:8000-8010/udp',
  },
  {
    name: 'volume',
    short: 'v',
    kind: 'text',
    placeholder: 'NAME,kind=KIND,...',
    repeat: true,
    check: parseVolumeFlag,
    expand: fromDockerVolume,
    summary:
      'volume: kind=host,source=PATH or kind=empty; readOnly, recursive; mode, uid, gid for empty ones; or, as docker has it, SOURCE:TARGET[:ro], which is mounted, too',
  },
  {
    name: 'mount',
    kind: 'text',
    placeholder: 'volume=NAME,target=PATH',
    repeat: true,
    scope: 'image',
    beforeImages: true,
    check: parseMountFlag,
    expand: fromDockerMount,
    summary: 'mount a volume; before the first image for all apps, after an image for its app',
  },
  {
    name: 'set-env',
    kind: 'text',
    placeholder: 'NAME=VALUE',
    repeat: true,
    check: parseAssignment,
    summary: 'environment variable of every app',
  },
  {
    name: 'set-env-file',
    aliases: ['env-file'],
    kind: 'text',
    placeholder: 'FILE',
    repeat: true,
    summary: 'file of NAME=VALUE lines, as --set-env; of several the later wins',
  },
  { name: 'inherit-env', kind: 'boolean', default: 'false', summary: "pass on rkt's own environment" },
];

/** As docker has it: of one name the last counts. */
const variable = {
  name: 'env',
  short: 'e',
  kind: 'text',
  placeholder: 'NAME=VALUE',
  repeat: true,
  check: assignment,
} as const;

/** For one image as for several: before the first it is itself, of every app. */
const env: FlagSpec = {
  ...variable,
  expand: (text, { isAfterImage }) => (isAfterImage ? { environment: assignment(text) } : undefined),
  summary: 'before the first image --set-env, after an image --environment; of one name the last counts',
};

/** A name alone, which docker takes for the value it has where docker runs, is refused: nothing of rkt's environment is passed on unasked. */
function assignment(text: string): string {
  if (/^[A-Za-z_]\w*$/.test(text)) {
    throw new Error(`it must be specified as key=value: ${text}="$${text}" for the value it has here`);
  }
  parseAssignment(text);
  return text;
}

/** Of what is executed beside an app: what it is to have otherwise than the app. Without defaults, as the app has it. */
export const enterFlags: readonly FlagSpec[] = [
  { ...variable, summary: 'environment variable of the command, over those of the app' },
  {
    name: 'user',
    short: 'u',
    kind: 'text',
    placeholder: 'USER[:GROUP]',
    check: splitUser,
    summary: 'user name or number of the command, as the app knows them',
  },
  {
    name: 'working-dir',
    short: 'w',
    aliases: ['workdir'],
    kind: 'text',
    placeholder: 'PATH',
    check: requireAbsolute,
    summary: 'working directory of the command',
  },
];

function requireAbsolute(path: string): void {
  if (!path.startsWith('/')) throw new Error('it must be an absolute path');
}

/** What says something about the image before it. */
const app: readonly FlagSpec[] = (
  [
    {
      name: 'exec',
      aliases: ['entrypoint'],
      placeholder: 'PATH',
      summary: 'executable to run instead of what the image says',
    },
    {
      name: 'name',
      placeholder: 'NAME',
      check: requireAcName,
      summary:
        'name of the app; on the command line it may stand for the pod, too, if no other has an app of this name',
    },
    {
      name: 'environment',
      placeholder: 'NAME=VALUE',
      repeat: true,
      check: parseAssignment,
      summary: 'environment variable of the app; wins over --set-env',
    },
    { name: 'user', short: 'u', placeholder: 'USER', expand: userAndGroup, summary: 'user name or number' },
    { name: 'group', placeholder: 'GROUP', summary: 'group name or number' },
    { name: 'supplementary-gids', placeholder: 'GIDS', summary: 'further group numbers, separated by commas' },
    { name: 'working-dir', short: 'w', aliases: ['workdir'], placeholder: 'PATH', summary: 'working directory' },
    { name: 'memory', short: 'm', placeholder: 'BYTES', check: parseBytes, summary: 'memory limit: 50M, 16Mi' },
    { name: 'cpu', aliases: ['cpus'], placeholder: 'CPUS', check: parseQuantity, summary: 'CPU limit: 2, 500m' },
    { name: 'cpu-shares', placeholder: 'N', check: parseQuantity, summary: 'weight of CPU time' },
    { name: 'caps-retain', placeholder: 'CAPS', repeat: true, summary: 'capabilities to keep, no others' },
    { name: 'oom-score-adj', placeholder: 'N', check: parseOomScoreAdj, summary: 'how soon to be killed for memory' },
    { name: 'caps-remove', placeholder: 'CAPS', repeat: true, summary: 'capabilities to take away' },
    {
      name: 'seccomp',
      placeholder: 'mode=MODE,...',
      check: parseSeccompFlag,
      summary: 'system calls: mode=retain|remove[,errno=NAME],CALL|@SET,...',
    },
    { name: 'annotation', placeholder: 'NAME=VALUE', repeat: true, check: parseAssignment, summary: 'annotation' },
    {
      name: 'user-annotation',
      placeholder: 'NAME=VALUE',
      repeat: true,
      check: parseAssignment,
      summary: 'annotation without a meaning to rkt',
    },
    {
      name: 'user-label',
      short: 'l',
      aliases: ['label'],
      placeholder: 'NAME=VALUE',
      repeat: true,
      check: parseAssignment,
      summary: 'label of the app',
    },
  ] as const
).map((flag) => ({ ...flag, kind: 'text', scope: 'image' }));

const readonlyRootfs: FlagSpec = {
  name: 'readonly-rootfs',
  aliases: ['read-only'],
  kind: 'boolean',
  default: 'false',
  scope: 'image',
  summary: 'mount the root filesystem read-only',
};

const podManifest: FlagSpec = {
  name: 'pod-manifest',
  kind: 'text',
  placeholder: 'FILE',
  summary: 'make the pod of a manifest instead of images and their flags; its images must be in the store',
};

const flavor: readonly FlagSpec[] = [
  {
    name: 'flavor',
    kind: 'text',
    placeholder: 'FLAVOR',
    summary: 'how the apps are isolated: oci (default), or fly: a root directory of its own, else the host; one app',
  },
  {
    name: 'stage1-name',
    kind: 'text',
    placeholder: 'NAME',
    summary: 'the same by the name of an image of rkt 1.30, as in coreos.com/rkt/stage1-fly',
  },
];

const privateUsers: FlagSpec = {
  name: 'private-users',
  kind: 'boolean',
  default: 'false',
  summary: 'give the pod users of its own: root in it is nobody on the host, nor on host volumes',
};

export const interactive: FlagSpec = {
  name: 'interactive',
  short: 'i',
  aliases: ['t', 'tty'],
  kind: 'boolean',
  default: 'false',
  summary: 'connect standard input; on a terminal give the app one',
};

/** Of what is executed beside an app. */
export const alwaysInteractive: FlagSpec = {
  ...interactive,
  default: 'true',
  check: refuseFalse,
  summary: 'as it is in any case: standard input is connected, and a terminal where rkt has one',
};

export const prepareFlags: readonly FlagSpec[] = [
  ...networking,
  ...pod,
  env,
  ...app,
  readonlyRootfs,
  podManifest,
  ...flavor,
  privateUsers,
  pid,
  ...obtainFlags('new'),
];

export const rm: FlagSpec = {
  name: 'rm',
  kind: 'boolean',
  default: 'false',
  summary: 'remove the pod when it has ended',
};

export const detach: FlagSpec = {
  name: 'detach',
  short: 'd',
  kind: 'boolean',
  default: 'false',
  summary: 'print the UUID and leave the pod running; see rkt logs, rkt wait, rkt stop',
};

export const onAppFailure: FlagSpec = {
  name: 'on-app-failure',
  kind: 'text',
  default: 'stop',
  choices: ['stop', 'continue'],
  summary: 'stop the other apps of the pod when one has failed, or continue',
};

/** Of an app that nobody waits for. */
export const restart: FlagSpec = {
  name: 'restart',
  kind: 'text',
  placeholder: 'POLICY',
  default: 'no',
  check: parseRestartPolicy,
  summary: 'start detached apps again that end by themselves: no, on-failure[:N], always, unless-stopped',
};

export const noHealthcheck: FlagSpec = {
  name: 'no-healthcheck',
  kind: 'boolean',
  default: 'false',
  summary: 'do not execute the health checks that images have',
};

const uuidFileSave: FlagSpec = {
  name: 'uuid-file-save',
  aliases: ['cidfile'],
  kind: 'text',
  placeholder: 'FILE',
  summary: "write the pod's UUID to a file",
};

export const runFlags: readonly FlagSpec[] = [
  ...prepareFlags,
  ...[interactive, detach, rm, restart, noHealthcheck, onAppFailure, uuidFileSave],
];

/** `app sandbox`: what describes a pod whose apps come later. */
export const sandboxFlags: readonly FlagSpec[] = [
  ...networking,
  ...pod.filter(({ name }) => name === 'port' || name === 'publish'),
  ...['annotation', 'user-annotation', 'user-label'].map(
    (name): FlagSpec => ({
      name,
      kind: 'text',
      placeholder: 'NAME=VALUE',
      repeat: true,
      check: parseAssignment,
      summary: `${name.replace('-', ' ')} of the pod`,
    }),
  ),
  ...flavor,
  privateUsers,
  pid,
  {
    name: 'detach',
    short: 'd',
    kind: 'boolean',
    default: 'false',
    summary: 'print the UUID and leave the pod; it lives until rkt stop',
  },
  uuidFileSave,
];

/** `app add`: what describes one app, and the volumes it brings. */
export const appAddFlags: readonly FlagSpec[] = [
  ...pod.filter(({ name }) => name === 'volume' || name === 'mount'),
  {
    name: 'mnt-volume',
    kind: 'text',
    placeholder: 'name=NAME,kind=KIND,target=PATH,...',
    repeat: true,
    expand: parseMountedVolume,
    summary: 'volume of the pod, mounted in the app: --volume and --mount in one',
  },
  { ...env, expand: (text) => ({ environment: assignment(text) }), summary: '--environment, as docker calls it' },
  ...app,
  readonlyRootfs,
  ...obtainFlags('new'),
];

export const runPreparedFlags: readonly FlagSpec[] = [
  ...networking,
  ...[interactive, detach, rm, restart, noHealthcheck, onAppFailure],
];
