// SPDX-License-Identifier: Apache-2.0

/** Of keys and of signatures alike; each one costs a look at the rest of the file. */
const MOST_BLOCKS = 32;
const BEGIN = /^-----BEGIN PGP [A-Z ]+-----/gm;
const BLOCK = /^-----BEGIN PGP ([A-Z ]+)-----[ \t]*\r?\n[\s\S]*?^-----END PGP \1-----/gm;

/** What may be said of a file of OpenPGP's. */
export interface OpenPgpFile {
  /** Bytes it may have. */
  readonly largest: number;
  /** Makes the error about it. */
  readonly refuse: (reason: string, cause?: unknown) => Error;
}

/** A part of a file: armored text, or all of a file that is not armored. */
export type OpenPgpPart = { readonly armored: string } | { readonly binary: Uint8Array };

/**
 * Reads each part of a file of OpenPGP's: of one that is armored every block, as of several that were put one after the other.
 * @throws what `refuse` makes, for a file that is too large, ends in the middle of a block, or that `read` rejects
 */
export async function readOpenPgpFile<T>(
  bytes: Uint8Array,
  { largest, refuse }: OpenPgpFile,
  read: (part: OpenPgpPart) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  if (bytes.length > largest) throw refuse(`it is larger than ${largest} bytes`);
  const all: T[] = [];
  try {
    for (const part of partsOf(bytes)) all.push(...(await read(part)));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), error);
  }
  return all;
}

function partsOf(bytes: Uint8Array): readonly OpenPgpPart[] {
  const text = Buffer.from(bytes).toString('latin1');
  const begun = text.match(BEGIN)?.length ?? 0;
  if (begun === 0) return [{ binary: bytes }];
  if (begun > MOST_BLOCKS) throw new Error(`it has more than ${MOST_BLOCKS} armored blocks`);
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length !== begun) throw new Error('it ends in the middle of an armored block');
  return blocks.length === 1 ? [{ armored: text }] : blocks.map((armored) => ({ armored: `${armored}\n` }));
}
