// SPDX-License-Identifier: Apache-2.0
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { blankProgram } from './describe.ts';

const MAX_WORD = 64;

/** An error about a mistyped word, with what was probably meant where something is near. */
export function withSuggestion(error: CliError): CliError {
  const { code, message, mistyped, hint, cause } = error;
  const near = mistyped === undefined ? undefined : nearest(mistyped.word.replace(/^-+/, ''), mistyped.known);
  if (near === undefined) return error;
  const meant = mistyped?.word.startsWith('-') === true ? `--${near}` : quote(near);
  return new CliError(code, `${message} (did you mean ${meant}?)`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The word that yargs would recommend. It allows three edits however short a word is, so both must begin alike. */
function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  let found: string | undefined;
  const program = blankProgram()
    .updateStrings({ 'Did you mean %s?': '%s' })
    .recommendCommands()
    .fail((recommended) => {
      found = recommended;
    });
  for (const candidate of known.filter(([first]) => first === word[0])) program.command(candidate, '');
  program.parse([word]);
  return found !== undefined && known.includes(found) ? found : undefined;
}
