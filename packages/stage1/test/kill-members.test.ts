// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import type { Host } from '../src/index.ts';
import { killMembers } from '../src/kill-members.ts';
import { createFakeHost } from '../src/testing/index.ts';

/** A host on which members of every cgroup go on for so many attempts to kill them. @returns how each was made, too */
function stubborn(attempts: number): { readonly host: Host; readonly frozen: readonly boolean[] } {
  const host = createFakeHost();
  const frozen: boolean[] = [];
  const cgroups = {
    ...host.cgroups,
    processes: () => (frozen.length < attempts ? [11] : []),
    kill: (_: string, options?: { readonly frozen?: boolean }) => void frozen.push(options?.frozen ?? false),
  };
  return { host: { ...host, cgroups }, frozen };
}

it('kills the members of a cgroup until there is none, and freezes none that dies without', async () => {
  const { host, frozen } = stubborn(3);
  expect(await killMembers(host, 'rkt/id')).toEqual([]);
  expect(frozen).toEqual([false, false, false]);
});

it('freezes those that start others more quickly than they are killed', async () => {
  const { host, frozen } = stubborn(22);
  expect(await killMembers(host, 'rkt/id')).toEqual([]);
  expect(frozen.slice(19)).toEqual([false, true, true]);
});

it('does nothing where there is none', async () => {
  const { host, frozen } = stubborn(0);
  expect(await killMembers(host, 'rkt/id')).toEqual([]);
  expect(frozen).toEqual([]);
});
