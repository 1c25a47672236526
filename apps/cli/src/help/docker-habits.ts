// SPDX-License-Identifier: Apache-2.0

const ENVIRONMENT = 'an environment variable is set with --set-env=NAME=VALUE';
const TERMINAL = 'standard input and a terminal are connected with --interactive';
const WORKING_DIRECTORY = 'the working directory is set with --working-dir=PATH after the image';

/** Flags of `docker run`, and what has their place in `rkt run`. */
const flags: Readonly<Record<string, string>> = {
  '-i': TERMINAL,
  '-t': TERMINAL,
  '--tty': TERMINAL,
  '-e': ENVIRONMENT,
  '--env': ENVIRONMENT,
  '--env-file': 'a file of environment variables is read with --set-env-file=FILE',
  '-v': 'a directory is mounted with --volume=NAME,kind=host,source=PATH --mount=volume=NAME,target=PATH',
  '-P': 'ports are forwarded one by one: -p HOSTPORT:PORT',
  '--publish-all': 'ports are forwarded one by one: -p HOSTPORT:PORT',
  '--rm': 'a pod is removed when it has ended with rkt run-prepared --rm UUID',
  '-u': 'the user is set with --user=USER after the image',
  '-w': WORKING_DIRECTORY,
  '--workdir': WORKING_DIRECTORY,
  '--entrypoint': 'the executable is set with --exec=PATH after the image',
  '--network': 'networks are chosen with --net=NETWORKS, for example --net=host',
  '--ip': 'an address is asked for with --net=default:IP=ADDRESS',
  '--add-host': 'a line of /etc/hosts is added with --hosts-entry=IP=HOST',
};

/** Commands of docker, and the lines that have their place. */
const commands: Readonly<Record<string, string>> = {
  pull: 'images are fetched by rkt fetch docker://NAME',
  images: 'images are listed by rkt image list',
  rmi: 'images are removed by rkt image rm IMAGE',
  inspect: 'a pod is described by rkt status UUID and rkt cat-manifest UUID, an image by rkt image inspect IMAGE',
  history: 'the layers of an image are shown by rkt image history IMAGE',
  save: 'images are written to files by rkt image export IMAGE docker-archive:FILE',
  load: 'images are read from files by rkt fetch docker-archive:FILE',
  login: 'credentials are read from where docker login, podman login and skopeo login leave them',
  exec: 'a command is run in a pod by rkt enter UUID CMD',
};

/** What to write in the place of a flag that docker has; letters may be joined (`-it`) and have values (`-p80:80`). */
export function dockerFlagHint(spelled: string): string | undefined {
  const name = spelled.startsWith('--') ? spelled : spelled.slice(0, 2);
  return Object.hasOwn(flags, name) ? flags[name] : undefined;
}

/** What to write in the place of a command that docker has. */
export function dockerCommandHint(word: string): string | undefined {
  return Object.hasOwn(commands, word) ? commands[word] : undefined;
}
