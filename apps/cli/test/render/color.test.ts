// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { paint, wantsColor } from '../../src/render/color.ts';

it.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ CLICOLOR: '0' }, true, false],
  [{ CLICOLOR: '1' }, false, false],
  [{ CLICOLOR_FORCE: '1' }, false, true],
  [{ CLICOLOR_FORCE: '0' }, false, false],
  [{ CLICOLOR_FORCE: '1', TERM: 'dumb' }, true, true],
  [{ CLICOLOR_FORCE: '1', NO_COLOR: '1' }, true, false],
  [{ TERM: 'dumb' }, true, false],
  [{ TERM: 'xterm-256color' }, true, true],
] as const)('with %o and a terminal: %s, colours: %s', (env, isTTY, wanted) => {
  expect(wantsColor(env, isTTY)).toBe(wanted);
});

it('no colour leaves text as it is', () => {
  expect(paint('a', undefined)).toBe('a');
  expect(paint('a', 'green')).toBe('\u001b[32ma\u001b[39m');
});
