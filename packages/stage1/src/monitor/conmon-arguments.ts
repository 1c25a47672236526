// SPDX-License-Identifier: Apache-2.0
import type { MonitorOptions } from '../runtime.ts';
import type { MonitorFiles } from './monitor-files.ts';

export interface ConmonRequest {
  readonly app: string;
  readonly files: MonitorFiles;
  /** What creates the container, up to its subcommand; executable first. */
  readonly runtime: readonly string[];
  readonly stdin: boolean;
  readonly terminal: boolean;
  readonly options: MonitorOptions;
}

const defaultLogBytes = 64 * 1024 * 1024;

/** The command line of conmon(8), version 2.0.16 or later. It writes its first line to the descriptor in `_OCI_SYNCPIPE`. */
export function conmonArguments({ app, files, runtime, stdin, terminal, options }: ConmonRequest): readonly string[] {
  const [executable = '', ...runtimeArguments] = runtime;
  const [onExit, ...exitArguments] = options.onExit ?? [];
  return [
    ...['--api-version', '1', '--cid', app, '--cuuid', app, '--name', app],
    ...['--runtime', executable],
    // Joined: a value of its own that begins with a dash would be taken for an option of conmon's.
    ...runtimeArguments.map((argument) => `--runtime-arg=${argument}`),
    ...['--bundle', files.bundle, '--container-pidfile', files.pid, '--conmon-pidfile', files.monitorPid],
    ...['--exit-dir', files.exitDir, '--full-attach'],
    ...['--log-path', `k8s-file:${files.log}`, '--log-size-max', String(options.maxLogBytes ?? defaultLogBytes)],
    // Who attaches may leave and come back.
    ...(stdin ? ['--stdin', '--leave-stdin-open'] : []),
    ...(terminal ? ['--terminal'] : []),
    ...(onExit === undefined ? [] : ['--exit-command', onExit]),
    ...exitArguments.map((argument) => `--exit-command-arg=${argument}`),
  ];
}
