// SPDX-License-Identifier: Apache-2.0
import type { Session } from '../wiring/session.ts';

/** Asks the person at the terminal, as often as there is something to ask. */
export interface Review extends AsyncDisposable {
  /** Whether somebody can be asked at all. */
  readonly isPossible: boolean;
  /** True for `yes`, false for `no` and when the input ends; asks again for anything else. */
  confirm(question: string): Promise<boolean>;
}

export function createReview({ io, interrupts }: Session, show: (line: string) => void): Review {
  let lines: AsyncGenerator<string, void> | undefined;
  return {
    isPossible: io.stdinIsTTY && io.stderr.isTTY,
    confirm: async (question) => {
      lines ??= linesOf(io.readInput({ raw: false, signal: interrupts.signal }));
      for (;;) {
        show(question);
        const { value } = await lines.next();
        interrupts.signal.throwIfAborted();
        if (value === 'yes') return true;
        if (value === 'no' || typeof value !== 'string') return false;
        show("Please enter 'yes' or 'no'");
      }
    },
    [Symbol.asyncDispose]: async () => {
      await lines?.return();
    },
  };
}

const LONGEST_LINE = 1024;

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  let rest = '';
  for await (const chunk of chunks) {
    const [...lines] = `${rest}${Buffer.from(chunk).toString('latin1')}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    yield* lines.map((line) => line.trimEnd());
  }
}
