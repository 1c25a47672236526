// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { hasTable, listRules } from '../../src/networking/iptables.ts';
import { sweep } from '../../src/networking/sweep.ts';
import { fakeHost } from './fake-plugins.ts';

const podId = '6f1b2c3d-0000-4000-8000-000000000001';
const listing = 'iptables -w -t nat -S';
const restore = 'iptables-restore';
const options = { tables: [{ family: 'iptables', table: 'nat' }], signal: undefined } as const;

const shared = [
  '-N CNI-HOSTPORT-DNAT',
  '-N CNI-HOSTPORT-MASQ',
  '-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
].join('\n');
const own = `-A POSTROUTING -s 172.16.28.2/32 -m comment --comment "name: \\"n\\" id: \\"${podId}\\"" -j CNI-f8672d0dec`;
const refused = { exitCode: 4, stderr: 'RULE_DELETE failed (No such file or directory)' };

describe('sweeping the nat table while other pods end', () => {
  it('looks again when another process was faster, and is content with what it finds', async () => {
    const host = await fakeHost();
    host.answer(listing, { stdout: shared }, { stdout: '' });
    host.answer(restore, refused);
    await sweep(host.options.run!, podId, options);
    expect(host.calls.map(({ what }) => what.split(' ')[0])).toEqual(['iptables', 'iptables-restore', 'iptables']);
  });

  it('decides anew on what the table holds then', async () => {
    const host = await fakeHost();
    host.answer(listing, { stdout: `${shared}\n${own}` }, { stdout: own });
    host.answer(restore, refused, refused, {});
    await sweep(host.options.run!, podId, options);
    expect(host.calls.at(-1)?.stdin).not.toContain('CNI-HOSTPORT-DNAT');
    expect(host.calls.at(-1)?.stdin).toContain(`-D POSTROUTING`);
  });

  it('leaves shared chains that stay in use to the next pod', async () => {
    const host = await fakeHost();
    host.answer(listing, { stdout: shared });
    host.answer(restore, refused);
    await expect(sweep(host.options.run!, podId, options)).resolves.toBeUndefined();
  });

  it('fails when rules of the pod itself cannot be removed', async () => {
    const host = await fakeHost();
    host.answer(listing, { stdout: own });
    host.answer(restore, refused);
    await expect(sweep(host.options.run!, podId, options)).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_PLUGIN_FAILED',
      message: expect.stringContaining('iptables-restore failed (exit status 4)'),
    });
  });
});

it('a table is read as a whole, or not at all', async () => {
  const limits: unknown[] = [];
  const answer = (length: number) => {
    return listRules(
      async ({ maxOutputBytes }) => {
        limits.push(maxOutputBytes);
        return { exitCode: 0, stdout: '-'.repeat(length), stderr: '' };
      },
      'iptables',
      { table: 'nat', signal: undefined },
    );
  };
  expect((await answer(2 << 20))[0]).toHaveLength(2 << 20);
  await expect(answer(64 << 20)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_PLUGIN_FAILED' });
  expect(limits).toEqual([64 << 20, 64 << 20]);
});

describe('a listing that fails', () => {
  const options = { table: 'nat', signal: undefined } as const;
  const failing = (stderr: string) => async () => ({ exitCode: 3, stdout: '', stderr });

  it.each([
    ["iptables v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)"],
    ["ip6tables v1.8.9 (legacy): can't initialize ip6tables table `nat': Address family not supported by protocol"],
    ['iptables: Failed to initialize nft: Protocol not supported'],
    ["iptables v1.8.9 (nf_tables): table `nat' is incompatible, use 'nft' tool."],
  ])('is that of a table there is not: %s', async (stderr) => {
    expect(await listRules(failing(stderr), 'iptables', options)).toEqual([]);
    expect(await hasTable(failing(stderr), 'iptables', options)).toBe(false);
  });

  it.each([
    ['Another app is currently holding the xtables lock; still 9s 0us time ahead to have a chance to grab the lock...'],
    ['iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)'],
    [''],
  ])('leaves open what the table holds: %s', async (stderr) => {
    for (const list of [listRules, hasTable]) {
      await expect(list(failing(stderr), 'ip6tables', options)).rejects.toMatchObject({
        code: 'ERR_RKT_STAGE1_PLUGIN_FAILED',
        message: expect.stringContaining('ip6tables cannot list the nat table (exit status 3)'),
      });
    }
  });
});
