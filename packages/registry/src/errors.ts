// SPDX-License-Identifier: Apache-2.0
import { sanitize } from './protocol/sanitize.ts';

/** Everything that can go wrong with a registry or with what it serves. Codes are never renamed. */
export type RegistryErrorCode =
  | 'ERR_RKT_REGISTRY_UNREACHABLE'
  | 'ERR_RKT_REGISTRY_NOT_FOUND'
  | 'ERR_RKT_REGISTRY_UNAUTHORIZED'
  | 'ERR_RKT_REGISTRY_DENIED'
  | 'ERR_RKT_REGISTRY_RATE_LIMITED'
  | 'ERR_RKT_REGISTRY_SERVER_ERROR'
  | 'ERR_RKT_REGISTRY_DIGEST_MISMATCH'
  | 'ERR_RKT_REGISTRY_SIZE_MISMATCH'
  | 'ERR_RKT_REGISTRY_TRUNCATED'
  | 'ERR_RKT_REGISTRY_UNSUPPORTED_MEDIA_TYPE'
  | 'ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM'
  | 'ERR_RKT_REGISTRY_MANIFEST_INVALID'
  | 'ERR_RKT_REGISTRY_CONFIG_INVALID'
  | 'ERR_RKT_REGISTRY_LIMIT_EXCEEDED'
  | 'ERR_RKT_REGISTRY_REDIRECT_REFUSED'
  | 'ERR_RKT_REGISTRY_FOREIGN_LAYER'
  | 'ERR_RKT_REGISTRY_REALM_REFUSED'
  | 'ERR_RKT_REGISTRY_INSECURE_REFUSED'
  | 'ERR_RKT_REGISTRY_TLS'
  | 'ERR_RKT_REGISTRY_CERTIFICATES_INVALID'
  | 'ERR_RKT_REGISTRY_TIMEOUT'
  | 'ERR_RKT_REGISTRY_PROTOCOL'
  | 'ERR_RKT_REGISTRY_CREDENTIALS_INVALID'
  | 'ERR_RKT_REGISTRY_CREDENTIAL_HELPER';

/** What a RegistryError is about; every field only where it applies. */
export interface RegistryErrorContext {
  readonly cause?: unknown;
  /** Scheme, host and port that answered or did not. */
  readonly origin?: string;
  /** What was asked for, e.g. `docker.io/library/nginx:latest`. */
  readonly reference?: string;
  readonly status?: number;
  readonly expected?: string | number;
  readonly actual?: string | number;
  /** How long the registry asks to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The platforms an index has, e.g. `linux/arm64/v8`. */
  readonly platforms?: readonly string[];
  /** Where the credential was found that was used and refused, or that could not be had: a file, a helper. */
  readonly credentialSource?: string;
  /** Whether the same request may succeed later. */
  readonly transient?: boolean;
}

const MAX_MESSAGE = 1200;

/**
 * A failed registry operation. Match `code`. The message is one line that is safe to print: text from registries and
 * images is escaped and capped, query strings and credentials are never part of it.
 */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly origin: string | undefined;
  readonly reference: string | undefined;
  readonly status: number | undefined;
  readonly expected: string | number | undefined;
  readonly actual: string | number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly platforms: readonly string[] | undefined;
  readonly credentialSource: string | undefined;
  /** Whether the same request may succeed later: resets, time-outs, overload. */
  readonly transient: boolean;

  constructor(code: RegistryErrorCode, message: string, context: RegistryErrorContext = {}) {
    super(sanitize(message, MAX_MESSAGE), context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.origin = context.origin;
    this.reference = context.reference;
    this.status = context.status;
    this.expected = context.expected;
    this.actual = context.actual;
    this.retryAfterMs = context.retryAfterMs;
    this.platforms = context.platforms;
    this.credentialSource = context.credentialSource;
    this.transient = context.transient ?? false;
  }
}

/** True for errors of this package, also across copies of it. */
export function isRegistryError(error: unknown): error is RegistryError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_RKT_REGISTRY_');
}
