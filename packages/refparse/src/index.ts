// SPDX-License-Identifier: Apache-2.0
export { type AnyReference, formatAnyReference, parseAnyReference } from './any-reference.ts';
export {
  type AppcLabel,
  type ImageArgument,
  type LayoutSelector,
  parseImageArgument,
} from './argument.ts';
export {
  ANY_ALGORITHM,
  type Digest,
  type DigestAlgorithm,
  type DigestAlgorithms,
  type DigestOptions,
  isDigest,
  parseDigest,
  SHA2,
} from './digest.ts';
export {
  isReferenceSyntaxError,
  type ReferenceErrorCode,
  type ReferenceFault,
  ReferenceSyntaxError,
} from './errors.ts';
export {
  formatCanonical,
  formatFamiliar,
  formatReference,
  formatRepository,
  withDefaultTag,
  withDigest,
  withTag,
} from './format.ts';
export { matchFamiliar } from './match-familiar.ts';
export { type ParseOptions, parseReference, tryParseReference } from './parse.ts';
export { isPinned, type PinnedReference, type Reference, type Repository, repositoryOf } from './reference.ts';
export { compareReferences, sortReferences } from './sort.ts';
