// SPDX-License-Identifier: Apache-2.0

/** Every way a store operation can fail. Match on `error.code`. */
export type StoreErrorCode =
  /** No image has this ID, prefix or name. */
  | 'ERR_RKT_STORE_IMAGE_NOT_FOUND'
  /** Several images begin with this prefix; see `candidates`. */
  | 'ERR_RKT_STORE_AMBIGUOUS_PREFIX'
  /** A prefix needs `sha512-` and at least two hex digits. */
  | 'ERR_RKT_STORE_PREFIX_TOO_SHORT'
  /** A live lease retains the image. */
  | 'ERR_RKT_STORE_IMAGE_IN_USE'
  /** An image that another one depends on is not in the store. */
  | 'ERR_RKT_STORE_DEPENDENCY_NOT_FOUND'
  /** A layer that is needed is not in the store. */
  | 'ERR_RKT_STORE_LAYER_MISSING'
  /** Something on disk is not what the store wrote. */
  | 'ERR_RKT_STORE_CORRUPT'
  /** The store was written by a newer version. */
  | 'ERR_RKT_STORE_NEWER_FORMAT'
  /** Another process kept the database locked, or went on changing what was to be read, for too long. */
  | 'ERR_RKT_STORE_BUSY'
  /** No space, no inodes or no quota left. Nothing was changed. */
  | 'ERR_RKT_STORE_DISK_FULL'
  /** Access denied, a read-only file system, or a store opened read-only. */
  | 'ERR_RKT_STORE_PERMISSION'
  /** Others may write to the store, or enter what is its owner's alone: what is in it may be theirs. */
  | 'ERR_RKT_STORE_UNSAFE_MODE'
  /** The directory is not a store and may not be made into one. */
  | 'ERR_RKT_STORE_NOT_A_STORE'
  /** The tree cannot be expressed by this backend (limits of the format or of Linux); another backend may do. */
  | 'ERR_RKT_STORE_TREE_UNSUPPORTED'
  /** The tree contradicts itself or its layers: what it was made from is damaged or was made to harm. */
  | 'ERR_RKT_STORE_TREE_INVALID'
  /** The operating system reported another failure; see `cause`. */
  | 'ERR_RKT_STORE_IO';

/** What an error is about. */
export interface StoreErrorContext {
  readonly cause?: unknown;
  /** Path of the file or directory concerned. */
  readonly path?: string;
  /** Image ID, layer diffID, name, prefix or path inside an image concerned. */
  readonly subject?: string;
  /** Image IDs an ambiguous prefix fits, at most ten. */
  readonly candidates?: readonly string[];
}

/** The one error class of this package. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
  readonly code: StoreErrorCode;
  readonly path: string | undefined;
  readonly subject: string | undefined;
  readonly candidates: readonly string[];

  constructor(code: StoreErrorCode, message: string, context: StoreErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.path = context.path;
    this.subject = context.subject;
    this.candidates = context.candidates ?? [];
  }
}

/** Whether a value is a {@link StoreError}, of whichever copy of this package. */
export function isStoreError(value: unknown): value is StoreError {
  return value instanceof Error && value.name === 'StoreError' && 'code' in value;
}

const SYSTEM_CODES: Readonly<Record<string, readonly [StoreErrorCode, string]>> = {
  ENOSPC: ['ERR_RKT_STORE_DISK_FULL', 'no space left'],
  EDQUOT: ['ERR_RKT_STORE_DISK_FULL', 'disk quota exceeded'],
  EACCES: ['ERR_RKT_STORE_PERMISSION', 'permission denied'],
  EPERM: ['ERR_RKT_STORE_PERMISSION', 'operation not permitted'],
  EROFS: ['ERR_RKT_STORE_PERMISSION', 'read-only file system'],
};

/** SQLite primary result codes (https://sqlite.org/rescode.html). */
const DATABASE_CODES: Readonly<Record<number, readonly [StoreErrorCode, string]>> = {
  3: ['ERR_RKT_STORE_PERMISSION', 'access to the database denied'],
  5: ['ERR_RKT_STORE_BUSY', 'the database is locked by another process'],
  6: ['ERR_RKT_STORE_BUSY', 'the database is locked'],
  8: ['ERR_RKT_STORE_PERMISSION', 'the database is read-only'],
  11: ['ERR_RKT_STORE_CORRUPT', 'the database is damaged'],
  13: ['ERR_RKT_STORE_DISK_FULL', 'no space left for the database'],
  14: ['ERR_RKT_STORE_PERMISSION', 'the database cannot be opened'],
  26: ['ERR_RKT_STORE_CORRUPT', 'the database file is not a database'],
};

const SQLITE_FULL = 13;
/** SQLITE_IOERR_SHMSIZE: the file beside the database could not be given its size. */
const NO_SHARED_MEMORY = 4874;

/**
 * Turns a failure of the file system or of SQLite into a {@link StoreError}; everything else (abort reasons,
 * programmer mistakes, errors of ours) passes unchanged.
 */
export function toStoreError(error: unknown, what: string, path?: string): unknown {
  if (!(error instanceof Error) || isStoreError(error)) return error;
  const known = lookUp(error);
  if (known === undefined) return error;
  const [code, reason] = known;
  // Who may not has to know what: to have it opened, or to take another.
  const where = code === 'ERR_RKT_STORE_PERMISSION' && path !== undefined ? `: "${printable(path)}"` : '';
  return new StoreError(code, `${what}: ${reason}${where}`, { cause: error, ...(path === undefined ? {} : { path }) });
}

function lookUp(error: Error): readonly [StoreErrorCode, string] | undefined {
  if ('errcode' in error && typeof error.errcode === 'number') {
    if (error.errcode === NO_SHARED_MEMORY) return DATABASE_CODES[SQLITE_FULL];
    return DATABASE_CODES[error.errcode & 0xff] ?? ['ERR_RKT_STORE_IO', printable(error.message)];
  }
  if (!('syscall' in error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return SYSTEM_CODES[error.code] ?? ['ERR_RKT_STORE_IO', printable(error.message)];
}

/** Text from an image or a caller, fit for a message: no control characters, at most 200 characters. */
export function printable(text: string): string {
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?');
  return clean.length > 200 ? `${clean.slice(0, 197)}...` : clean;
}

/** Whether there was no space, inode or quota left. */
export function isDiskFull(error: unknown): boolean {
  return isStoreError(error) && error.code === 'ERR_RKT_STORE_DISK_FULL';
}

/** Whether a file-system error says that the thing is not there. */
export function isNotFound(error: unknown): boolean {
  return hasErrno(error, 'ENOENT') || hasErrno(error, 'ENOTDIR');
}

/** Whether an error carries the given errno name. */
export function hasErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
