// SPDX-License-Identifier: Apache-2.0

/**
 * A string whose UTF-16 code units are bytes (0-255): file names, link targets and xattr values as archives carry them.
 * Image file names need not be UTF-8; decoding them would make two different names collide. `Buffer.from(s, 'latin1')`
 * gives the bytes back.
 */
export type ByteString = string;
