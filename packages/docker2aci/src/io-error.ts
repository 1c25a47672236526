// SPDX-License-Identifier: Apache-2.0
import { ConversionError } from './errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'no such file or directory',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
};

/** An error of a file operation as ours; ours stay what they are. */
export function toIoError(error: unknown, what: string, path: string): ConversionError {
  if (error instanceof ConversionError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const errno = 'code' in cause ? String(cause.code) : 'unknown error';
  const full = errno === 'ENOSPC' || errno === 'EDQUOT';
  return new ConversionError(
    full ? 'ERR_RKT_DOCKER2ACI_DISK_FULL' : 'ERR_RKT_DOCKER2ACI_IO',
    full ? `${what} ${path}: the disk is full (${errno})` : `${what} ${path}: ${REASONS[errno] ?? errno}`,
    { path, cause },
  );
}
