// SPDX-License-Identifier: Apache-2.0

/**
 * A piece of an ACI stream: literal bytes (headers, padding, manifest) or a range of a layer tar. The concatenation of
 * all pieces, ranges resolved, is the uncompressed ACI whose SHA-512 is the image ID.
 */
export type AciSegment =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'layer'; readonly layer: number; readonly tarOffset: number; readonly length: number };
