// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/errors.ts';
import { createMessages, type MessageForm } from '../../src/render/messages.ts';
import { fakeIo } from '../support/fake-io.ts';

function told(form: MessageForm, debug = false): string {
  const io = fakeIo();
  const messages = createMessages(io, { prefix: 'fetch', form, debug });
  messages.note('on\u001b[2Jit goes');
  messages.reminder('as you wished');
  messages.warning('was another');
  messages.say('mine');
  messages.warn('my own');
  messages.report(new CliError('ERR_RKT_CLI_FILE', 'no\u009bfile', { hint: 'write one', cause: new Error('deep') }));
  expect(io.written.stdout).toBe('');
  return io.written.stderr;
}

describe('messages', () => {
  it('are lines that begin with who says them', () => {
    expect(told('text')).toBe(
      [
        'rkt: on [2Jit goes',
        'rkt: warning: as you wished',
        'rkt: warning: was another',
        'fetch: mine',
        'fetch: warning: my own',
        'fetch: no file',
        'hint: write one',
        '',
      ].join('\n'),
    );
    expect(told('text', true)).toContain('└─deep');
  });

  it('with --quiet are what is wrong and what the command itself says', () => {
    expect(told('quiet')).toBe(
      'rkt: warning: was another\nfetch: mine\nfetch: warning: my own\nfetch: no file\nhint: write one\n',
    );
  });

  it('with --progress=json are objects, errors included', () => {
    const text = told('json');
    expect(text).not.toMatch(/[^ -~\n]/);
    const common = { version: 1, time: '2026-01-02T03:04:05.000Z' };
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { ...common, type: 'message', level: 'info', message: 'on\u001b[2Jit goes' },
      { ...common, type: 'message', level: 'warning', message: 'as you wished' },
      { ...common, type: 'message', level: 'warning', message: 'was another' },
      { ...common, type: 'message', level: 'info', message: 'mine' },
      { ...common, type: 'message', level: 'warning', message: 'my own' },
      { ...common, type: 'error', command: 'fetch', code: 'ERR_RKT_CLI_FILE', message: 'no file', hint: 'write one' },
    ]);
  });
});
