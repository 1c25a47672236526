// SPDX-License-Identifier: Apache-2.0
import { parseImageArgument, type Reference } from '@rkt/refparse';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';

/** Where an image is exported to, and in which form. Of a file, `-` is standard output. */
export type ExportTarget =
  | { readonly kind: 'aci'; readonly path: string }
  | { readonly kind: 'oci' | 'oci-archive'; readonly path: string; readonly name: string | undefined }
  | { readonly kind: 'docker-archive'; readonly path: string; readonly reference: Reference | undefined };

/**
 * Reads the output of `image export`, which is spelled as `fetch` spells what it reads.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 * @throws {ReferenceSyntaxError}
 */
export function parseExportTarget(text: string): ExportTarget {
  if (/^(oci|oci-archive|docker-archive):/.test(text)) return archiveTarget(text);
  if (text === '-' || text.endsWith('.aci')) return { kind: 'aci', path: text };
  throw new CliError('ERR_RKT_CLI_USAGE', `extension of output file ${quote(text)} must be .aci`, {
    hint: 'other forms are oci:DIRECTORY[:NAME], oci-archive:FILE[:NAME] and docker-archive:FILE[:NAME:TAG]',
  });
}

function archiveTarget(text: string): ExportTarget {
  const argument = parseImageArgument(text);
  if (argument.kind === 'docker-archive') return argument;
  if ((argument.kind === 'oci' || argument.kind === 'oci-archive') && argument.selector?.kind !== 'digest') {
    const { kind, path, selector } = argument;
    return { kind, path, name: selector?.kind === 'tag' ? selector.tag : selector?.name };
  }
  throw new CliError('ERR_RKT_CLI_USAGE', `cannot export to ${quote(text)}: an image is given a tag, not a digest`);
}
