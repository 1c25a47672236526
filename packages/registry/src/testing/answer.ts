// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';

/** A response before it is sent. A stream needs its length in `content-length`. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | (() => Readable);
}
