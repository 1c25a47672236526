// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { commands } from '../args/commands.ts';
import { globalFlags } from '../args/global-flags.ts';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

export async function execute({ io }: Session, { operands }: Arguments): Promise<number> {
  const [shell = ''] = operands;
  if (shell !== 'bash') {
    throw new CliError('ERR_RKT_CLI_UNSUPPORTED', `no completion for shell ${quote(shell)}`, {
      hint: 'there is one for bash',
    });
  }
  io.stdout.write(bashScript());
  return 0;
}

/** Words that may follow: the flags of the command typed so far, or the commands. */
function bashScript(): string {
  const globals = globalFlags.filter(({ hidden }) => hidden !== true).map(({ name }) => `--${name}`);
  const cases = commands.map(({ name, flags }) => {
    const words = [...flags.filter(({ hidden }) => hidden !== true).map((flag) => `--${flag.name}`), ...globals];
    return `    "${name}") words="${words.join(' ')}" ;;`;
  });
  const heads = [...new Set(commands.map(({ name }) => name.split(' ')[0]))];
  const members = commands.filter(({ name }) => name.startsWith('image ')).map(({ name }) => name.split(' ')[1]);
  return [
    '_rkt() {',
    `  local words current="\${COMP_WORDS[COMP_CWORD]}" command="" word`,
    `  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do`,
    `    case "$word" in -*) ;; *) command="\${command:+$command }$word"; [ "$command" = image ] || break ;; esac`,
    '  done',
    '  case "$command" in',
    `    "") words="${[...heads, ...globals].join(' ')}" ;;`,
    `    image) words="${members.join(' ')}" ;;`,
    ...cases,
    '    *) words="" ;;',
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _rkt rkt',
    '',
  ].join('\n');
}
