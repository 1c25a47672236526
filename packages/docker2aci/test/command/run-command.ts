// SPDX-License-Identifier: Apache-2.0
import { main } from '../../src/command/main.ts';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs docker2aci in this process, with a directory for its files. */
export async function docker2aci(directory: string, ...argv: readonly string[]): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const err = (text: string): void => {
    written.stderr += text;
  };
  const io = {
    directory,
    env: {},
    uid: 0,
    signal: new AbortController().signal,
    out: (text: string) => {
      written.stdout += text;
    },
    err,
    warn: err,
  };
  return { status: await main(argv, io, '9.9'), ...written };
}
