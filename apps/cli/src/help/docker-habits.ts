// SPDX-License-Identifier: Apache-2.0

const PORTS = 'ports are forwarded one by one: -p HOSTPORT:PORT';
const CAPABILITIES =
  'capabilities are kept or taken away with --caps-retain=CAPS or --caps-remove=CAPS after the image';
const PROFILE = 'system calls are chosen with --seccomp=mode=retain|remove,CALL|@SET,... after the image';

const INIT =
  'the first process of an app is the app itself: name an init that the image has with --exec, as in --exec=tini -- CMD';
const DEVICES =
  'an app has no devices of the host but those every app has: a directory of files is given with -v /PATH:/PATH';
const DETACHED =
  "what is to go on by itself is put into the background by a shell: rkt enter POD sh -c 'CMD >/dev/null 2>&1 &'";
const FILTER = 'pods are picked out of JSON: rkt list --format=json | jq \'.[] | select(.state == "running")\'';
/** Where a template of Go was given. */
export const templateHint = "members are picked out of JSON, as in rkt inspect NAME | jq '.[0].state'";
const ENTER: Readonly<Record<string, string>> = {
  '-d': DETACHED,
  '--detach': DETACHED,
  '--privileged': 'who enters has the rights of the app, and no others',
};
const PODS: Readonly<Record<string, string>> = {
  '-f': FILTER,
  '--filter': FILTER,
  '-n': 'the newest pods are the last: rkt list | tail',
  '--last': 'the newest pods are the last: rkt list | tail',
  '-l': 'the newest pod is the last: rkt list | tail -1',
  '--latest': 'the newest pod is the last: rkt list | tail -1',
};

/** Flags of `docker run` and `podman run` that are no other names of ours, and what has their place. */
const RUN: Readonly<Record<string, string>> = {
  '-P': PORTS,
  '--publish-all': PORTS,
  '--init': INIT,
  '--device': DEVICES,
  '--gpus': DEVICES,
  '--group-add': 'further groups are given by their numbers: --supplementary-gids=GID,GID after the image',
  '--ulimit': 'limits of processes are those of rkt itself: ulimit -n 4096, then rkt run',
  '--shm-size':
    'a larger one takes the place of /dev/shm with --volume=shm,kind=empty --mount=volume=shm,target=/dev/shm',
  '--ipc': 'the apps of a pod share IPC with each other and nobody else: rkt run IMAGE1 --- IMAGE2',
  '--stop-signal': 'how an app is asked to end is said by its image, or with rkt kill --signal=SIGNAL POD',
  '--stop-timeout': 'how long an app may take to end is said when it is stopped: rkt stop --timeout=30s POD',
  '--health-cmd': 'how the health of an app is checked is said by its image; --no-healthcheck leaves it out',
  '--log-driver': 'what a detached app writes is kept for rkt logs POD; in the foreground it is standard output',
  '--env-host': "rkt's own variables are passed on with --inherit-env",
  '--ip': 'an address is asked for with --net=default:IP=ADDRESS',
  '--add-host': 'a line of /etc/hosts is added with --hosts-entry=IP=HOST',
  '--cap-add': CAPABILITIES,
  '--cap-drop': CAPABILITIES,
  '--privileged': 'confinement is given up with --insecure-options=all-run before the command',
  '--security-opt': PROFILE,
  '--pull': 'when the registry is asked is chosen with --pull-policy=never|new|update',
  '--tmpfs': 'an empty directory is mounted with --volume=NAME,kind=empty --mount=volume=NAME,target=PATH',
  '--userns': 'a pod gets users of its own with --private-users',
  '--pod': 'apps of one pod are run by one command: IMAGE1 --- IMAGE2; or added by rkt app add POD IMAGE',
  '--rm': 'a pod is removed when it has ended with rkt run-prepared --rm POD',
};

/** Flags of docker and podman by the command they are given to, and the lines that have their place. */
const FLAGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  run: RUN,
  prepare: RUN,
  'app add': RUN,
  enter: ENTER,
  'app exec': ENTER,
  export: {
    '-o': 'the file comes last: rkt export POD FILE.aci',
    '--output': 'the file comes last: rkt export POD FILE.aci',
  },
  rm: {
    '-a': 'all pods that have ended are removed by rkt gc --grace-period=0s',
    '--all': 'all pods that have ended are removed by rkt gc --grace-period=0s',
    '-v': 'empty volumes go with their pod as it is',
    '--volumes': 'empty volumes go with their pod as it is',
  },
  stop: {
    '-a': 'all pods are stopped by rkt stop $(rkt ps -q)',
    '--all': 'all pods are stopped by rkt stop $(rkt ps -q)',
  },
  list: PODS,
  ps: PODS,
  inspect: { '-f': templateHint },
  'image inspect': { '-f': templateHint },
  'image list': {
    '-f': "images are picked out of JSON: rkt image list --format=json | jq '.[] | select(.size > 1000000)'",
    '--filter': "images are picked out of JSON: rkt image list --format=json | jq '.[] | select(.size > 1000000)'",
    '--digests': 'digests are shown by rkt image inspect IMAGE',
  },
  'image rm': {
    '-f': 'an image can be removed when the pods that use it are: rkt rm -f POD',
    '--force': 'an image can be removed when the pods that use it are: rkt rm -f POD',
  },
  'image gc': {
    '-a': 'images that no pod uses are removed at once by rkt image gc --grace-period=0s',
    '--all': 'images that no pod uses are removed at once by rkt image gc --grace-period=0s',
    '-f': 'nobody is asked: rkt image gc removes at once',
    '--force': 'nobody is asked: rkt image gc removes at once',
  },
  fetch: {
    '-a': 'every tag is named: rkt fetch docker://NAME:TAG1 docker://NAME:TAG2',
    '--all-tags': 'every tag is named: rkt fetch docker://NAME:TAG1 docker://NAME:TAG2',
  },
};

const CONTAINERS = 'a container is an app of a pod: rkt run, rkt list, rkt stop, rkt rm';

/** Commands of docker and podman that are no other names of ours, and the lines that have their place. */
const COMMANDS: Readonly<Record<string, string>> = {
  build: 'rkt builds no images: what buildah or docker build has made is read by rkt fetch docker-archive:FILE',
  commit:
    'what became of an image is kept by rkt export POD FILE.aci, then rkt --insecure-options=image fetch FILE.aci',
  compose:
    'apps that belong together are one pod: rkt run IMAGE1 --- IMAGE2; or each is a unit of systemd that runs rkt',
  container: CONTAINERS,
  cp: 'files are copied by a command in the pod: rkt enter POD tar -C DIRECTORY -c . | tar -x',
  create: 'a pod is prepared by rkt prepare docker://NAME, and run by rkt run-prepared POD',
  events: 'what becomes of a pod is waited for by rkt status --wait POD',
  import: 'a tar of files becomes an image by rkt --insecure-options=image fetch rootfs:FILE:NAME:TAG',
  info: 'the configuration is shown by rkt config, the version by rkt version',
  load: 'images are read from files by rkt fetch docker-archive:FILE',
  login: 'credentials are read from where docker login, podman login and skopeo login leave them',
  logout: 'credentials are read from where docker login, podman login and skopeo login leave them',
  network: 'networks of the host are configured in net.d of LOCAL_CONFIG, and chosen with run --net=NAME',
  pause: 'the first process of an app is halted by rkt kill --signal=STOP POD, and goes on by --signal=CONT',
  pod: 'a pod of several apps is run by rkt run IMAGE1 --- IMAGE2, or made by rkt app sandbox',
  port: 'forwarded ports are shown by rkt status POD',
  prune: 'what nobody needs is removed by rkt gc and rkt image gc, at once with --grace-period=0s',
  push: 'rkt only reads registries: rkt image export IMAGE oci:DIRECTORY, then skopeo copy oci:DIRECTORY docker://NAME',
  rename: 'an app is named when it is run: --name=NAME',
  restart: 'a pod runs once: rkt stop POD and rkt run again, or have apps started again with run -d --restart=always',
  save: 'images are written to files by rkt image export IMAGE docker-archive:FILE',
  search: 'rkt searches no registry: look on its web pages for the name',
  start: 'a prepared pod is run by rkt run-prepared POD; one that has ended does not run again: rkt run',
  stats: 'what an app uses is shown by a command in the pod: rkt enter POD top',
  system: 'what nobody needs is removed by rkt gc and rkt image gc',
  tag: 'an image gets another name as it is written and read: rkt image export IMAGE docker-archive:FILE:NAME:TAG',
  top: 'processes are listed by a command in the pod: rkt enter POD ps',
  unpause: 'the first process of an app goes on by rkt kill --signal=CONT POD',
  update: 'limits are set when a pod is run: IMAGE --memory=64Mi --cpu=500m',
  volume: 'directories are mounted as they are: run -v /SOURCE:/TARGET',
};

/** What to write in the place of a flag that docker has; a letter may have a value (`-p80:80`). */
export function dockerFlagHint(spelled: string, command: string): string | undefined {
  const name = spelled.startsWith('--') ? spelled : spelled.slice(0, 2);
  const flags = Object.hasOwn(FLAGS, command) ? FLAGS[command] : undefined;
  return flags !== undefined && Object.hasOwn(flags, name) ? flags[name] : undefined;
}

/** What to write in the place of a command that docker has, be it one of `image`. */
export function dockerCommandHint(word: string): string | undefined {
  return Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
}
