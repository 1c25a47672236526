// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import type { Host } from '../src/index.ts';
import { ignoreSurvivors, killMembers } from '../src/kill-members.ts';
import { createFakeHost } from '../src/testing/index.ts';

const members = { cgroup: 'rkt/id', owner: 'pod id' };

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
  await killMembers(host, members);
  expect(frozen).toEqual([false, false, false]);
});

it('freezes those that start others more quickly than they are killed', async () => {
  const { host, frozen } = stubborn(22);
  await killMembers(host, members);
  expect(frozen.slice(19)).toEqual([false, true, true]);
});

it('does nothing where there is none', async () => {
  const { host, frozen } = stubborn(0);
  await killMembers(host, members);
  expect(frozen).toEqual([]);
});

it('says which ones do not end; who goes on all the same ignores that and nothing else', async () => {
  const { host } = stubborn(Number.POSITIVE_INFINITY);
  const error: unknown = await killMembers(host, members).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'ERR_RKT_STAGE1_CLEANUP_FAILED',
    message: 'processes of pod id do not end: 11',
  });
  expect(() => ignoreSurvivors(error)).not.toThrow();
  expect(() => ignoreSurvivors(new Error('other'))).toThrow('other');
}, 10_000);
