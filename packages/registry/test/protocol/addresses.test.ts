// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { isLocalAddress, isLoopback, isPrivateAddress } from '../../src/protocol/addresses.ts';

const classes = (host: string): readonly boolean[] => {
  const url = new URL(`http://${host}/`);
  return [isLoopback(url), isLocalAddress(url), isPrivateAddress(url)];
};

it.each([
  '127.0.0.1',
  '127.255.1.2',
  '2130706433',
  '0x7f.1',
  'localhost',
  'LOCALHOST.',
  'a.localhost',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[0:0::0:1]',
])('%s is loopback', (host) => {
  expect(classes(host)).toEqual([true, true, true]);
});

it.each(['0.0.0.0', '0.1.2.3', '169.254.169.254', '[::]', '[fe80::1]', '[febf::1]', '[::ffff:169.254.0.1]'])(
  '%s is local',
  (host) => {
    expect(classes(host)).toEqual([false, true, true]);
  },
);

it.each([
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '100.127.0.1',
  '[fc00::1]',
  '[fdff::1]',
  '[::ffff:10.0.0.1]',
])('%s is private', (host) => {
  expect(classes(host)).toEqual([false, false, true]);
});

it.each([
  '8.8.8.8',
  '128.0.0.1',
  '172.32.0.1',
  '172.15.0.1',
  '100.128.0.1',
  '11.0.0.1',
  '[2001:db8::1]',
  '[::2]',
  '[fec0::1]',
  'localhost.example',
  '127.0.0.1.example',
])('%s is public', (host) => {
  expect(classes(host)).toEqual([false, false, false]);
});
