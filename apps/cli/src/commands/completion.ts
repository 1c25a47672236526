// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { completionScripts } from '../completion/scripts.ts';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export async function execute({ io }: Session, { operands }: Arguments): Promise<number> {
  const [shell = ''] = operands;
  const script = Object.hasOwn(completionScripts, shell) ? completionScripts[shell] : undefined;
  if (script === undefined) {
    throw new CliError('ERR_RKT_CLI_UNSUPPORTED', `no completion for shell ${quote(shell)}`, {
      hint: `there is one for ${Object.keys(completionScripts).join(', ')}`,
    });
  }
  io.stdout.write(script);
  return 0;
}
