// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** An OCI runtime of this host. */
export interface OciRuntime {
  readonly kind: 'crun' | 'runc';
  readonly path: string;
}

export interface RuntimePlace {
  /** Where the runtime keeps its state of this pod. */
  readonly root: string;
  readonly log: string;
}

/** A place of its own for every app: runtimes of one pod start at the same time. */
export function runtimePlace(podDir: string, app: string): RuntimePlace {
  const root = join(podDir, 'runtime');
  mkdirSync(root, { recursive: true, mode: 0o700 });
  return { root, log: join(podDir, 'apps', app, 'runtime.log') };
}

/** Arguments that precede a runtime's subcommand. cgroupfs: the systemd driver needs a systemd that is not everywhere. */
export function globalArguments({ kind }: OciRuntime, { root, log }: RuntimePlace): readonly string[] {
  const driver = kind === 'crun' ? ['--cgroup-manager', 'cgroupfs'] : [];
  return ['--root', root, '--log', log, '--log-format', 'json', ...driver];
}

const maxLog = 65_536;

/** What the runtime reported as errors, last one last; the log is emptied. */
export function takeRuntimeErrors(log: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(log, 'utf8').slice(-maxLog);
  } catch {
    // A runtime that could not even open its log has said why on stderr.
    return [];
  }
  rmSync(log, { force: true });
  return text.split('\n').flatMap(errorMessage);
}

function errorMessage(line: string): readonly string[] {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null || Reflect.get(entry, 'level') !== 'error') return [];
    const message: unknown = Reflect.get(entry, 'msg');
    return typeof message === 'string' ? [message] : [];
  } catch {
    return [];
  }
}
