// SPDX-License-Identifier: Apache-2.0
import type { FlagValues } from '../args/flag.ts';
import type { Session } from '../wiring/session.ts';

/** The bytes of an ACI as `--compression` has them; plain where it says nothing. */
export async function packAci(
  { libraries }: Session,
  bytes: AsyncIterable<Uint8Array>,
  flags: FlagValues,
): Promise<AsyncIterable<Uint8Array>> {
  const compression = flags.text('compression');
  return compression === 'gzip' || compression === 'zstd' ? libraries.compressAci(bytes, compression) : bytes;
}
