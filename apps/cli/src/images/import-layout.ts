// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { parseReference, tryParseReference } from '@rkt/refparse';
import type { ImageRecord } from '@rkt/store';
import { CliError, usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
import type { ObtainOptions } from './obtain-image.ts';
import { storeImage } from './store-image.ts';

/** `oci:PATH[:SELECTOR]`, as parsed. */
export interface LayoutArgument {
  readonly kind: 'oci';
  readonly path: string;
  readonly selector: string | undefined;
  readonly original: string;
}

/** Imports an image of an OCI layout directory. Files of one's own need no registry, but are as unsigned as any. */
export async function importLayout(
  session: Session,
  argument: LayoutArgument,
  options: ObtainOptions,
): Promise<ImageRecord> {
  if (!session.globals.insecure.has('image')) {
    throw new CliError(
      'ERR_RKT_CLI_SIGNATURE_REQUIRED',
      'signature verification for OCI images is not supported (try --insecure-options=image)',
    );
  }
  const tag = argument.selector ?? 'latest';
  const base = resolve(argument.path).split('/').at(-1) ?? '';
  const reference =
    tryParseReference(`localhost/${base.toLowerCase()}:${tag}`) ?? tryParseReference(`localhost/oci:${tag}`);
  if (reference === undefined) throw usageError(`${quote(tag)} is no tag`);
  session.io.stderr.write(`rkt: importing image from ${argument.original}\n`);
  const source = await session.libraries.openOciLayout(argument.path);
  const { signal } = session.interrupts;
  return storeImage(
    session,
    await source.open(parseReference(`${reference.domain}/${reference.path}:${tag}`), { signal }),
    options,
  );
}
