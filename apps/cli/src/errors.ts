// SPDX-License-Identifier: Apache-2.0

/** Every way the command line itself can fail; the libraries have codes of their own. Codes are never renamed. */
export type CliErrorCode =
  /** The command line is not one: a missing operand, a value that does not fit. */
  | 'ERR_RKT_CLI_USAGE'
  | 'ERR_RKT_CLI_UNKNOWN_COMMAND'
  | 'ERR_RKT_CLI_UNKNOWN_FLAG'
  /** A configuration file cannot be read or says something that is not understood. */
  | 'ERR_RKT_CLI_CONFIG_INVALID'
  | 'ERR_RKT_CLI_NOT_ROOT'
  /** A docker image was to be fetched while signatures are demanded. */
  | 'ERR_RKT_CLI_SIGNATURE_REQUIRED'
  /** A public key, or a file among the trusted ones, is not what it should be, or not to be trusted. */
  | 'ERR_RKT_CLI_KEY_INVALID'
  /** A signature is none, is of nobody who is trusted, or signs something else. */
  | 'ERR_RKT_CLI_SIGNATURE_INVALID'
  /** No page says where an image or its keys are, or what is there is another image. */
  | 'ERR_RKT_CLI_DISCOVERY'
  /** A server of ACIs or keys has not given what it was asked for. */
  | 'ERR_RKT_CLI_DOWNLOAD'
  /** The pull policy forbids to ask for an image that the store does not have. */
  | 'ERR_RKT_CLI_IMAGE_NOT_IN_STORE'
  /** A form of image, flag or value that rkt knows and cannot serve yet. */
  | 'ERR_RKT_CLI_UNSUPPORTED'
  /** The flags and the images do not make a pod: unknown port, dangling mount, two apps of one name. */
  | 'ERR_RKT_CLI_POD_INVALID'
  /** No UUID begins so, and no app is called so. */
  | 'ERR_RKT_CLI_POD_NOT_FOUND'
  /** Apps of several pods have the name that was given for a pod. */
  | 'ERR_RKT_CLI_AMBIGUOUS_POD_NAME'
  /** A pod is not in the state the command needs. */
  | 'ERR_RKT_CLI_POD_STATE'
  /** A file that is to be read or written cannot be. */
  | 'ERR_RKT_CLI_FILE'
  /** Some of several things failed; each was reported. */
  | 'ERR_RKT_CLI_INCOMPLETE'
  /** SIGINT, SIGTERM or SIGHUP. */
  | 'ERR_RKT_CLI_INTERRUPTED';

/** What goes with an error. */
export interface CliErrorContext {
  readonly cause?: unknown;
  /** What to do about it, as one sentence. */
  readonly hint?: string;
  readonly mistyped?: Mistyped;
  /** By which everything was called off. */
  readonly signal?: NodeJS.Signals;
}

/** A word that names nothing, and what it could have named: the nearest is told. */
export interface Mistyped {
  readonly word: string;
  readonly known: readonly string[];
}

/** The one error class of the command line. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;
  readonly hint: string | undefined;
  readonly mistyped: Mistyped | undefined;
  readonly signal: NodeJS.Signals | undefined;

  constructor(code: CliErrorCode, message: string, context: CliErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.hint = context.hint;
    this.mistyped = context.mistyped;
    this.signal = context.signal;
  }
}

/** Whether a value is a {@link CliError}. */
export function isCliError(value: unknown): value is CliError {
  return value instanceof CliError;
}

/** A command line that is none. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError('ERR_RKT_CLI_USAGE', message, hint === undefined ? {} : { hint });
}

/** What kind of error it is, `ERR_RKT_STORE_IMAGE_NOT_FOUND` or `ENOENT`. Libraries are loaded when they are used; by this their errors are told. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether an error is of one of several kinds. */
export function hasCode(error: unknown, ...codes: readonly string[]): error is Error {
  const code = codeOf(error);
  return code !== undefined && codes.includes(code);
}

/** The name of the system's error, `ENOENT`, if it is one. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error ? codeOf(error) : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EEXIST: 'file exists',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
};

/** Why a file could not be used, in a few words; never a stack. */
export function reasonOf(error: unknown): string {
  const errno = errnoOf(error);
  if (errno !== undefined) return REASONS[errno] ?? errno;
  return error instanceof Error ? error.message : String(error);
}
