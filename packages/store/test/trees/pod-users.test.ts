// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { idInPod, xattrInPod } from '../../src/trees/overlay/pod-users.ts';

const users = { first: 100_000, count: 65_536 };

it('takes owners for what they are where a pod has the users of the host', () => {
  expect([0, 5, 4_294_967_294].map((id) => idInPod(id, undefined))).toEqual([0, 5, 4_294_967_294]);
});

it('takes everybody for nobody who is no user of the pod', () => {
  const ids = [0, 99_999, 100_000, 165_535, 165_536];
  expect(ids.map((id) => idInPod(id, users))).toEqual([65_534, 65_534, 0, 65_535, 65_534]);
});

it('leaves capabilities out that are for no root of the pod, and keeps those of a root below it', () => {
  const capability = (root: number): string => {
    const bytes = Buffer.alloc(24);
    bytes[3] = 3;
    bytes.writeUInt32LE(root, 20);
    return bytes.toString('latin1');
  };
  expect(xattrInPod('security.capability', capability(99_999), users)).toBeUndefined();
  expect(xattrInPod('security.capability', capability(165_536), users)).toBeUndefined();
  expect(xattrInPod('security.capability', capability(100_007), users)).toBe(capability(7));
  expect(xattrInPod('security.capability', capability(7), undefined)).toBe(capability(7));
});

it('leaves alone what has not the form it should have', () => {
  for (const value of ['', '\x02', 'x'.repeat(23), `${'\0'.repeat(20)}`]) {
    expect(xattrInPod('security.capability', value, users)).toBe(value);
  }
  for (const value of ['', '\x02\0\0\0', '\x02\0\0\0\x02\0\x06']) {
    expect(xattrInPod('system.posix_acl_access', value, users)).toBe(value);
  }
  expect(xattrInPod('user.posix', '\x02\0\0\0\x02\0\x06\0\0\0\0\0', users)).toBe('\x02\0\0\0\x02\0\x06\0\0\0\0\0');
});
