// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStage1Error } from '../../src/error.ts';
import { resolveUser } from '../../src/oci-spec/index.ts';

const passwd = [
  '# comment',
  'root:x:0:0:root:/root:/bin/sh',
  'redis:x:999:1000:,,,:/home/redis:/bin/sh',
  '1234:x:0:0:a name that looks like a number:/root:/bin/sh',
  'huge:x:4294967296:0::/:/bin/sh',
  'odd:x:abc:0::/:/bin/sh',
  'oddgroup:x:5:-3::/:/bin/sh',
  'nohome:x:6:6::relative:/bin/sh',
  'redis:x:0:0:second entry of the name:/root:/bin/sh',
  'broken',
  '',
].join('\n');
const group = [
  'root:x:0:',
  'redis:x:1000:',
  'video:x:44:redis,root',
  'audio:x:29:redis',
  'bad:x:99999999999:mallory',
].join('\n');
const resolve = (user: string, group_ = '', supplementaryGids?: readonly number[]) =>
  resolveUser(passwd, group, { user, group: group_, ...(supplementaryGids && { supplementaryGids }) });
const code = (suffix: string) => expect.objectContaining({ code: `ERR_RKT_STAGE1_${suffix}` });

describe('resolveUser', () => {
  it('gives a user its primary group and the groups of the files', () => {
    const redis = { uid: 999, gid: 1000, additionalGids: [29, 44], home: '/home/redis', name: 'redis' };
    expect(resolve('redis')).toEqual(redis);
    expect(resolve('999')).toEqual(redis);
  });

  it('gives a stated group and no others of the files', () => {
    expect(resolve('redis', 'video')).toMatchObject({ gid: 44, additionalGids: [] });
    expect(resolve('redis', '7', [9, 8, 9, 7])).toMatchObject({ gid: 7, additionalGids: [8, 9] });
  });

  it('takes a group named as the user for the primary group when there is no such group', () => {
    expect(resolve('nohome', 'nohome')).toMatchObject({ uid: 6, gid: 6 });
  });

  it('takes a group for none when it is said to be unstated, and only then', () => {
    const groupUnstated = true;
    expect(resolveUser(passwd, group, { user: '1000', group: '1000', groupUnstated })).toMatchObject({
      uid: 1000,
      gid: 0,
    });
    expect(resolve('1000', '1000')).toMatchObject({ uid: 1000, gid: 1000 });
    const redis = { uid: 999, gid: 1000, additionalGids: [29, 44] };
    for (const user of ['999', 'redis']) {
      expect(resolveUser(passwd, group, { user, group: user, groupUnstated })).toMatchObject(redis);
    }
    expect(resolve('redis', 'redis')).toMatchObject({ gid: 1000, additionalGids: [] });
    expect(resolveUser(passwd, group, { user: '999', group: '44' })).toMatchObject({
      gid: 44,
      additionalGids: [],
    });
  });

  it('runs a number without an entry with group 0, no name and / as home', () => {
    expect(resolve('4242')).toEqual({ uid: 4242, gid: 0, additionalGids: [], home: '/' });
  });

  it('needs no files for root', () => {
    const root = { uid: 0, gid: 0, additionalGids: [], home: '/root' };
    expect(resolveUser(undefined, undefined, { user: '', group: '' })).toEqual(root);
    expect(resolveUser(undefined, undefined, { user: '0', group: '0' })).toEqual(root);
  });

  it('never looks a number up as a name', () => {
    expect(resolve('1234')).toEqual({ uid: 1234, gid: 0, additionalGids: [], home: '/' });
  });

  it.each(['2147483648', '4294967296', '99999999999999999999999', '-1', '+2147483648'])(
    'refuses the uid %s',
    (user) => {
      expect(() => resolve(user)).toThrow(code('ID_OUT_OF_RANGE'));
      expect(() => resolve('redis', user)).toThrow(code('ID_OUT_OF_RANGE'));
    },
  );

  it.each(['huge', 'odd', 'oddgroup'])('refuses the entry of %s, whose ids are none', (user) => {
    expect(() => resolve(user)).toThrow(code('ID_OUT_OF_RANGE'));
  });

  it('refuses a supplementary group out of range, stated or from the files', () => {
    expect(() => resolve('redis', '', [-1])).toThrow(code('ID_OUT_OF_RANGE'));
    expect(() => resolve('redis', '', [1.5])).toThrow(code('ID_OUT_OF_RANGE'));
    expect(() => resolveUser('mallory:x:7:7::/:', group, { user: 'mallory', group: '' })).toThrow(
      code('ID_OUT_OF_RANGE'),
    );
  });

  it('says who is unknown', () => {
    expect(() => resolve('nobody\u001b[2J')).toThrow('user "nobody\ufffd[2J" is not in the image\'s /etc/passwd');
    expect(() => resolve('nobody')).toThrow(code('USER_NOT_FOUND'));
    expect(() => resolve('redis', 'staff')).toThrow(code('GROUP_NOT_FOUND'));
  });

  it('ignores a line longer than 64 Ki characters and refuses a file larger than 4 Mi', () => {
    const long = `evil:x:0:0::${'/'.repeat(65_536)}:`;
    expect(() => resolveUser(long, '', { user: 'evil', group: '' })).toThrow(code('USER_NOT_FOUND'));
    const large = 'x'.repeat(4 * 1024 * 1024 + 1);
    expect(() => resolveUser(large, '', { user: '0', group: '' })).toThrow(code('USER_DATABASE_INVALID'));
  });

  it('gives ids in range or our error, whatever the files say', () => {
    const line = fc.array(fc.oneof(fc.constantFrom('u', 'g', '0', '-1', '4294967295', ':'), fc.string()), {
      maxLength: 8,
    });
    const file = fc
      .array(
        line.map((parts) => parts.join(':')),
        { maxLength: 8 },
      )
      .map((lines) => lines.join('\n'));
    const name = fc.constantFrom('u', 'g', '0', '', 'u\0');
    fc.assert(
      fc.property(file, file, name, name, (passwdText, groupText, user, groupName) => {
        try {
          const { uid, gid, additionalGids, home } = resolveUser(passwdText, groupText, { user, group: groupName });
          for (const id of [uid, gid, ...additionalGids]) expect(id >= 0 && id <= 2 ** 31 - 1).toBe(true);
          expect(home.startsWith('/')).toBe(true);
        } catch (error) {
          if (!isStage1Error(error)) throw error;
        }
      }),
    );
  });
});
