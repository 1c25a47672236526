// SPDX-License-Identifier: Apache-2.0

/** Everything that can go wrong in a conversion, besides what the source and the repository report themselves. Codes are never renamed. */
export type ConversionErrorCode =
  | 'ERR_RKT_DOCKER2ACI_DIFF_ID_MISMATCH'
  | 'ERR_RKT_DOCKER2ACI_NOT_A_TAR'
  | 'ERR_RKT_DOCKER2ACI_LAYER_INVALID'
  | 'ERR_RKT_DOCKER2ACI_UNSUPPORTED_COMPRESSION'
  | 'ERR_RKT_DOCKER2ACI_COMPRESSION_CORRUPT'
  | 'ERR_RKT_DOCKER2ACI_TRUNCATED'
  | 'ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED'
  | 'ERR_RKT_DOCKER2ACI_UNSUPPORTED_PLATFORM'
  | 'ERR_RKT_DOCKER2ACI_CONFIG_INVALID'
  | 'ERR_RKT_DOCKER2ACI_IMAGE_INVALID'
  | 'ERR_RKT_DOCKER2ACI_ACI_INVALID'
  | 'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID'
  | 'ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND'
  | 'ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_AMBIGUOUS'
  | 'ERR_RKT_DOCKER2ACI_BLOB_CORRUPT'
  | 'ERR_RKT_DOCKER2ACI_DISK_FULL'
  | 'ERR_RKT_DOCKER2ACI_IO'
  | 'ERR_RKT_DOCKER2ACI_WORKER_FAILED';

/** What a ConversionError is about; every field only where it applies. */
export interface ConversionErrorContext {
  readonly cause?: unknown;
  /** Digest of the blob at fault. */
  readonly digest?: string;
  /** The file at fault. */
  readonly path?: string;
  readonly expected?: string | number;
  readonly actual?: string | number;
}

/** A failed conversion. Match `code`. Text from images is escaped and capped in `message`. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
  readonly code: ConversionErrorCode;
  readonly digest: string | undefined;
  readonly path: string | undefined;
  readonly expected: string | number | undefined;
  readonly actual: string | number | undefined;

  constructor(code: ConversionErrorCode, message: string, context: ConversionErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.digest = context.digest;
    this.path = context.path;
    this.expected = context.expected;
    this.actual = context.actual;
  }
}

/** True for a {@link ConversionError}, also one made by another copy of this package. */
export function isConversionError(error: unknown): error is ConversionError {
  return error instanceof Error && error.name === 'ConversionError' && 'code' in error;
}

const QUOTED_LENGTH = 200;

/** Text from an image, in double quotes, fit for a terminal: anything but printable ASCII is escaped, 200 characters at most. */
export function quote(text: string): string {
  const shown = text.slice(0, QUOTED_LENGTH);
  const escaped = shown.replace(/[^\x20-\x7e]|["\\]/g, escapeUnit);
  return `"${escaped}"${shown.length < text.length ? '...' : ''}`;
}

function escapeUnit(unit: string): string {
  if (unit === '"' || unit === '\\') return `\\${unit}`;
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
