// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { usageError } from '../errors.ts';
import { pageAbout } from '../help/help.ts';
import { renderText } from '../help/text.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const directory = flags.text('man-pages');
  if (directory === undefined) {
    const { stdout } = session.io;
    stdout.write(renderText(pageAbout(operands), stdout.columns()));
    return 0;
  }
  if (operands.length > 0) throw usageError('--man-pages writes the pages of all commands: give no COMMAND');
  const { writeManPages } = await import('../help/write-man-pages.ts');
  await writeManPages(directory, session.interrupts.signal);
  return 0;
}
