// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { main } from '../../src/main.ts';
import { installedLibraries } from '../../src/wiring/installed-libraries.ts';
import type { Libraries } from '../../src/wiring/libraries.ts';
import { type FakeIo, type FakeIoOptions, fakeIo } from './fake-io.ts';

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Rkt {
  /** Runs rkt in this process to its end. */
  (...argv: readonly string[]): Promise<Result>;
  /** The same with a process of the test's making, for signals and terminals. */
  within(io: FakeIo, ...argv: readonly string[]): Promise<Result>;
}

/** An rkt with the real libraries except for those given; its configuration and data are below `dir`. */
export function rktWith(dir: string, libraries: Partial<Libraries> = {}, options: FakeIoOptions = {}): Rkt {
  const within = async (io: FakeIo, ...argv: readonly string[]): Promise<Result> => {
    const etc = existsSync(`${dir}/etc`) ? `${dir}/etc` : '';
    const globals = [`--dir=${dir}/data`, `--local-config=${etc}`, '--system-config='];
    const status = await main([...globals, ...argv], io, { ...installedLibraries, ...libraries });
    return { status, ...io.written };
  };
  return Object.assign((...argv: readonly string[]) => within(fakeIo(options), ...argv), { within });
}
