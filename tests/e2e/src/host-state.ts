// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What a run could leave behind on a host, as text lines that can be compared. */
export interface HostState {
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly rules: readonly string[];
  readonly cgroups: readonly string[];
  readonly processes: readonly string[];
  readonly namespaces: readonly string[];
  readonly temporaries: readonly string[];
}

/**
 * What our installations start names their directory or is one of the programs the images hold; the machine's own
 * processes come and go as they please. Whatever holds a namespace shows there in any case.
 */
const ours = /rkt-e2e-[^ ]*\/data|^(\S*\/)?redis-server|^nginx: /;

export function hostState(): HostState {
  return {
    mounts: lines(readFileSync('/proc/self/mountinfo', 'utf8')).map((line) => line.split(' ').slice(2).join(' ')),
    links: command('ip', ['-o', 'link']).map((line) => line.replace(/^\d+: /, '').split('\\')[0] ?? ''),
    rules: [...filterRules(command('iptables-save', [])), ...filterRules(command('ip6tables-save', []))],
    cgroups: cgroupDirectories(),
    processes: command('ps', ['-eo', 'args']).filter(
      (line) => ours.test(line) && !line.startsWith('ps ') && !line.endsWith('<defunct>'),
    ),
    namespaces: namespaces(),
    temporaries: temporaries(),
  };
}

/**
 * For tests that kill: whoever lost its parent is waited for by the machine's first process, and not every machine has one
 * that does so. What has ended but was not waited for keeps its PID namespace, which no program can help.
 */
export function settledHostState(): HostState {
  const state = hostState();
  return { ...state, namespaces: state.namespaces.filter((line) => !line.endsWith(' pid')) };
}

/** Without those that only dead processes hold, which nobody has reaped: where PID 1 is no init, they stay. */
function namespaces(): readonly string[] {
  return command('lsns', ['-n', '-r', '-o', 'NS,TYPE,PID'])
    .map((line) => line.split(' '))
    .filter(([, , pid = '']) => !isZombie(pid))
    .map(([id, type]) => `${id} ${type}`)
    .toSorted();
}

function isZombie(pid: string): boolean {
  try {
    return /^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** Counters and the time stamp differ from call to call; tables and chains that exist but are empty do not matter. */
function filterRules(saved: readonly string[]): readonly string[] {
  return saved
    .filter((line) => line.startsWith('-A') || /^:\S*(CNI|RKT)/.test(line))
    .map((line) => line.replace(/ \[\d+:\d+\]$/, ''));
}

/** In /tmp everyone works: there, only names that rkt and the programs it starts give. */
const temporaryOfOurs = /^(\.?rkt|docker2aci|erofs-probe|crun|runc|node-compile-cache|koffi)([-.]|$)/;

function temporaries(): readonly string[] {
  const own = ['/dev/shm', '/run'].flatMap((dir) => readdirSync(dir).map((name) => `${dir}/${name}`));
  const shared = ['/tmp', '/var/tmp'].flatMap((dir) =>
    readdirSync(dir)
      .filter((name) => temporaryOfOurs.test(name))
      .map((name) => `${dir}/${name}`),
  );
  return [...own, ...shared];
}

/** Below `rkt` in the one tree of version 2, or in each hierarchy of version 1. */
function cgroupDirectories(): readonly string[] {
  const root = '/sys/fs/cgroup';
  return [root, ...directoriesIn(root)].map((hierarchy) => `${hierarchy}/rkt`).flatMap(treeOf);
}

function treeOf(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return [directory, ...directoriesIn(directory).flatMap(treeOf)];
}

/** A cgroup may go away while it is looked at. */
function directoriesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${directory}/${name}`);
  } catch {
    return [];
  }
}

function command(file: string, args: readonly string[]): readonly string[] {
  return lines(execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
