// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { parseSyncMessage } from '../../src/monitor/sync-message.ts';

it('tells a container that was created from one that was refused', () => {
  expect(parseSyncMessage('{"data": 4711}\n')).toEqual({ pid: 4711 });
  expect(parseSyncMessage('{"data": -1, "message": "level=error\\n"}\n')).toEqual({ refused: 'level=error\n' });
  expect(parseSyncMessage('{"data": -1}')).toEqual({ refused: '' });
});

it.each([[''], ['nonsense'], ['null'], ['[]'], ['{"data": "7"}'], ['{"data": 1.5}'], ['{"pid": 7}']])(
  'takes %j for no message',
  (text) => {
    expect(parseSyncMessage(text)).toBeUndefined();
  },
);
