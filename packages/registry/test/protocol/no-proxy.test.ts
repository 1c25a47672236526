// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { bypassesProxy } from '../../src/protocol/no-proxy.ts';

it.each([
  ['https://registry.example', 'registry.example'],
  ['https://registry.example', 'other.example, REGISTRY.example.'],
  ['https://registry.example', 'other.example registry.example'],
  ['https://a.registry.example', 'registry.example'],
  ['https://a.registry.example', '.registry.example'],
  ['https://a.registry.example', '*.registry.example'],
  ['https://registry.example', '*'],
  ['https://registry.example', 'registry.example:443'],
  ['http://registry.example', 'registry.example:80'],
  ['https://registry.example:5000', '*:5000'],
  ['https://10.1.2.3', '10.0.0.0/8'],
  ['https://10.1.2.3', '10.1.2.3'],
  ['https://10.1.2.3:5000', '10.1.2.3:5000'],
  ['https://[fd00::1]', 'fd00::/8'],
  ['https://[fd00::1]', 'fd00:0:0::1'],
  ['https://[fd00::1]:5000', '[fd00::1]:5000'],
  ['https://[fd00::1]', '[fd00::1]'],
  ['https://[::ffff:10.1.2.3]', '10.0.0.0/8'],
])('%s is asked directly with NO_PROXY=%s', (url, noProxy) => {
  expect(bypassesProxy(new URL(url), noProxy)).toBe(true);
});

it.each([
  ['https://registry.example', ''],
  ['https://registry.example', ' , '],
  ['https://registry.example', '.registry.example'],
  ['https://registry.example', '*.registry.example'],
  ['https://evilregistry.example', 'registry.example'],
  ['https://registry.example.evil', 'registry.example'],
  ['https://evilregistry.example', '*registry.example'],
  ['https://registry.example', 'registry.example:5000'],
  ['https://registry.example:5000', 'registry.example:443'],
  ['https://11.1.2.3', '10.0.0.0/8'],
  ['https://10.1.2.3', '10.0.0.0/33'],
  ['https://10.1.2.3', '10/8'],
  ['https://10.1.2.3', '10.1.2.3/'],
  ['https://10.1.2.3:5000', '10.1.2.3:443'],
  ['https://[fd00::1]', 'fc00::/8'],
  ['https://[fd00::1]', '[fd00::1]:5000'],
  ['https://registry.example', '0.0.0.0/0'],
])('%s is asked through the proxy with NO_PROXY=%s', (url, noProxy) => {
  expect(bypassesProxy(new URL(url), noProxy)).toBe(false);
});
