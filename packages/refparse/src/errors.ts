// SPDX-License-Identifier: Apache-2.0

/** Every way an image reference, a digest or an image argument can be wrong. Codes are never renamed. */
export type ReferenceErrorCode =
  | 'ERR_RKT_REFPARSE_EMPTY'
  | 'ERR_RKT_REFPARSE_TOO_LONG'
  | 'ERR_RKT_REFPARSE_DOMAIN_MISSING'
  | 'ERR_RKT_REFPARSE_DOMAIN_INVALID'
  | 'ERR_RKT_REFPARSE_PATH_INVALID'
  | 'ERR_RKT_REFPARSE_PATH_UPPERCASE'
  | 'ERR_RKT_REFPARSE_PATH_TOO_LONG'
  | 'ERR_RKT_REFPARSE_NAME_IS_HEX_ID'
  | 'ERR_RKT_REFPARSE_NOT_CANONICAL'
  | 'ERR_RKT_REFPARSE_TAG_INVALID'
  | 'ERR_RKT_REFPARSE_DIGEST_INVALID'
  | 'ERR_RKT_REFPARSE_DIGEST_UNSUPPORTED'
  | 'ERR_RKT_REFPARSE_PATTERN_INVALID'
  | 'ERR_RKT_REFPARSE_ARGUMENT_INVALID';

/** Where in which input the fault is. */
export interface ReferenceFault {
  readonly input: string;
  /** Index of the first UTF-16 unit that is wrong. */
  readonly offset: number;
  /** What is wrong with it, as a clause, safe to print. */
  readonly reason: string;
}

/** An input that is not a reference, a digest or an image argument. Match `code`, not the message. */
export class ReferenceSyntaxError extends SyntaxError {
  override readonly name = 'ReferenceSyntaxError';
  readonly code: ReferenceErrorCode;
  /** The input as given; not sanitised, so quote it before it reaches a terminal. The message is safe to print. */
  readonly input: string;
  /** Index of the first UTF-16 unit of `input` that is wrong. */
  readonly offset: number;
  /** The message without what the input was read as: `the repository name must be lower case`. */
  readonly reason: string;

  constructor(code: ReferenceErrorCode, message: string, fault: ReferenceFault) {
    super(message);
    this.code = code;
    this.input = fault.input;
    this.offset = fault.offset;
    this.reason = fault.reason;
  }
}

/** True for errors of this package, also across copies of it. */
export function isReferenceSyntaxError(error: unknown): error is ReferenceSyntaxError {
  return error instanceof SyntaxError && 'code' in error && String(error.code).startsWith('ERR_RKT_REFPARSE_');
}

const MAX_QUOTED = 120;

/** `text` in double quotes, capped, with everything a terminal could act on written as `\u` escapes. */
export function quote(text: string): string {
  const shown = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}...` : text;
  let out = '"';
  for (let i = 0; i < shown.length; i += 1) {
    const unit = shown.charCodeAt(i);
    const printable = unit >= 0x20 && unit < 0x7f && unit !== 0x22 && unit !== 0x5c;
    out += printable ? shown.charAt(i) : `\\u${unit.toString(16).padStart(4, '0')}`;
  }
  return `${out}"`;
}
