// SPDX-License-Identifier: Apache-2.0
export { type AppcLabel, type ArchiveKind, type ImageArgument, parseImageArgument } from './argument.ts';
export { type Digest, isDigest, parseDigest } from './digest.ts';
export {
  isReferenceSyntaxError,
  type ReferenceErrorCode,
  type ReferenceFault,
  ReferenceSyntaxError,
} from './errors.ts';
export { formatFamiliar, formatReference, withDigest, withTag } from './format.ts';
export { type ParseOptions, parseReference, tryParseReference } from './parse.ts';
export type { PinnedReference, Reference, Repository } from './reference.ts';
