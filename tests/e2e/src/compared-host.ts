// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect } from 'vitest';
import { type HostState, hostState } from './host-state.ts';
import { type Installation, type InstallationOptions, installation, type RktHost } from './rkt.ts';

/** The installation of the test that runs. */
export interface ComparedHost extends RktHost {
  /** The state of this machine before the test. */
  readonly before: HostState;
}

/**
 * To be called where a test file begins: gives each of its tests an installation of its own, of `options`. After each test
 * the `state` of this machine has to be what it was before.
 */
export function comparedHost(
  state: () => HostState = hostState,
  options: () => InstallationOptions = () => ({}),
): ComparedHost {
  let current: { readonly before: HostState; readonly host: Installation } | undefined;
  /** As the last test that left it as it was has found it: nothing happens between two tests. */
  let settled: HostState | undefined;
  const host = (): Installation => given(current).host;

  beforeEach(() => {
    current = { before: settled ?? state(), host: installation(options()) };
  });
  afterEach(async () => {
    settled = undefined;
    await host()[Symbol.asyncDispose]();
    const { before } = given(current);
    expect(state()).toEqual(before);
    settled = before;
  });
  return {
    get before() {
      return given(current).before;
    },
    get dir() {
      return host().dir;
    },
    get dataDir() {
      return host().dataDir;
    },
    get configDir() {
      return host().configDir;
    },
    rkt: (args, options) => host().rkt(args, options),
    start: (args, options) => host().start(args, options),
    configure: (path, content) => host().configure(path, content),
  };
}

/** Of what a hook makes before tests. */
export function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('this is there for tests, not while they are collected');
  return value;
}
