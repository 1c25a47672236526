// SPDX-License-Identifier: Apache-2.0

/** Every code an {@link AppcError} can carry. Codes are never renamed. */
export type AppcErrorCode =
  | 'ERR_RKT_APPC_ACI_LAYOUT'
  | 'ERR_RKT_APPC_HARDLINK'
  | 'ERR_RKT_APPC_IMAGE_ID'
  | 'ERR_RKT_APPC_INDEX'
  | 'ERR_RKT_APPC_LIMIT'
  | 'ERR_RKT_APPC_MANIFEST'
  | 'ERR_RKT_APPC_NAME'
  | 'ERR_RKT_APPC_PATH'
  | 'ERR_RKT_APPC_PLATFORM'
  | 'ERR_RKT_APPC_TAR_CHECKSUM'
  | 'ERR_RKT_APPC_TAR_HEADER'
  | 'ERR_RKT_APPC_TAR_PAX'
  | 'ERR_RKT_APPC_TAR_SPARSE'
  | 'ERR_RKT_APPC_TAR_TRUNCATED'
  | 'ERR_RKT_APPC_TAR_TYPE'
  | 'ERR_RKT_APPC_WHITEOUT';

/** Where a fault is. */
export interface AppcErrorContext {
  /** Byte offset in the tar or index that was being read. */
  readonly offset?: number;
  /** Path of the entry, or of the property in a manifest (`app.ports[0].port`). */
  readonly path?: string;
  readonly cause?: unknown;
}

/** The one error class of this package: data that is not what it should be. Match on `code`. */
export class AppcError extends Error {
  override readonly name = 'AppcError';
  readonly code: AppcErrorCode;
  readonly offset: number | undefined;
  readonly path: string | undefined;

  constructor(code: AppcErrorCode, message: string, context: AppcErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.offset = context.offset;
    this.path = context.path;
  }
}

/** True for an {@link AppcError}, also one made by another copy of this package. */
export function isAppcError(error: unknown): error is AppcError {
  return error instanceof Error && error.name === 'AppcError' && 'code' in error;
}

const QUOTED_LENGTH = 200;

/**
 * Text from an image made fit for a message or a terminal: control characters, quotes and everything beyond ASCII
 * become `\xNN` or `\uNNNN`, at most 200 characters are shown, and the whole is put in double quotes.
 */
export function quoteUntrusted(text: string): string {
  const shown = text.length > QUOTED_LENGTH ? text.slice(0, QUOTED_LENGTH) : text;
  const escaped = shown.replace(/[^\x20-\x7e]|["\\]/g, escapeCharacter);
  return `"${escaped}"${shown.length < text.length ? '...' : ''}`;
}

function escapeCharacter(character: string): string {
  const unit = character.charCodeAt(0);
  if (unit === 0x22 || unit === 0x5c) return `\\${character}`;
  return unit < 0x100 ? `\\x${unit.toString(16).padStart(2, '0')}` : `\\u${unit.toString(16).padStart(4, '0')}`;
}
