// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { CliError } from '../errors.ts';
import { completionScript } from '../help/completion.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export async function execute({ io }: Session, { operands }: Arguments): Promise<number> {
  const [shell = ''] = operands;
  if (shell !== 'bash' && shell !== 'zsh') {
    throw new CliError('ERR_RKT_CLI_UNSUPPORTED', `no completion for shell ${quote(shell)}`, {
      hint: 'there is one for bash and one for zsh',
    });
  }
  io.stdout.write(await completionScript(shell));
  return 0;
}
