// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { CommandFailed } from '../../src/command.ts';
import { endedByUser } from '../../src/demo/ended-by-user.ts';

const ended = (status: number) => endedByUser(new CommandFailed(['rkt', 'run'], status));

describe('a pod in the foreground', () => {
  it.each([129, 130, 143])('was ended by the user with status %i', (status) => {
    expect(ended(status)).toBe(true);
  });

  it.each([1, 137, 139, 254])('failed with status %i', (status) => {
    expect(ended(status)).toBe(false);
  });

  it('failed when rkt could not be started at all', () => {
    expect(endedByUser(new Error('spawn rkt ENOENT'))).toBe(false);
  });
});
