// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { createInterrupts } from '../../src/wiring/interrupts.ts';
import { fakeIo } from '../support/fake-io.ts';

describe('signals', () => {
  it('are left alone until somebody can be interrupted', () => {
    const io = fakeIo();
    createInterrupts(io);
    expect(io.send('SIGINT')).toBe(false);
  });

  it('abort what is under way; a second one is left to the system', () => {
    const io = fakeIo();
    const { signal } = createInterrupts(io);
    expect(io.send('SIGTERM')).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'ERR_RKT_CLI_INTERRUPTED', message: 'interrupted by SIGTERM' });
    expect(io.send('SIGTERM')).toBe(false);
  });

  it('go to who diverts them, and abort again afterwards', () => {
    const io = fakeIo();
    const interrupts = createInterrupts(io);
    const received: string[] = [];
    {
      using _ = interrupts.divert((name) => void received.push(name));
      io.send('SIGINT');
      io.send('SIGTERM');
    }
    expect(received).toEqual(['SIGINT', 'SIGTERM']);
    expect(interrupts.signal.aborted).toBe(false);
    io.send('SIGINT');
    expect(interrupts.signal.aborted).toBe(true);
  });

  it('go to who diverts them also after the first has aborted', () => {
    const io = fakeIo();
    const interrupts = createInterrupts(io);
    const received: string[] = [];
    expect(interrupts.signal.aborted).toBe(false);
    io.send('SIGINT');
    {
      using _outer = interrupts.divert((name) => void received.push(`outer ${name}`));
      {
        using _inner = interrupts.divert((name) => void received.push(`inner ${name}`));
        io.send('SIGTERM');
      }
      io.send('SIGHUP');
    }
    expect(received).toEqual(['inner SIGTERM', 'outer SIGHUP']);
    expect(io.send('SIGINT')).toBe(false);
  });

  it('are left alone after the end', () => {
    const io = fakeIo();
    const interrupts = createInterrupts(io);
    expect(interrupts.signal.aborted).toBe(false);
    interrupts[Symbol.dispose]();
    expect(io.send('SIGINT')).toBe(false);
  });
});
