// SPDX-License-Identifier: Apache-2.0
import { errorCode } from '../error-code.ts';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';

interface Kind {
  readonly code: RegistryErrorCode;
  readonly transient: boolean;
  readonly text: string;
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['ECONNREFUSED', { code: 'ERR_RKT_REGISTRY_UNREACHABLE', transient: false, text: 'connection refused' }],
  ['ENOTFOUND', { code: 'ERR_RKT_REGISTRY_UNREACHABLE', transient: false, text: 'the host name is unknown' }],
  ['EAI_AGAIN', { code: 'ERR_RKT_REGISTRY_UNREACHABLE', transient: true, text: 'the name server does not answer' }],
  ['EHOSTUNREACH', { code: 'ERR_RKT_REGISTRY_UNREACHABLE', transient: false, text: 'no route to the host' }],
  ['ENETUNREACH', { code: 'ERR_RKT_REGISTRY_UNREACHABLE', transient: false, text: 'the network is unreachable' }],
  ['ECONNRESET', { code: 'ERR_RKT_REGISTRY_TRUNCATED', transient: true, text: 'connection reset' }],
  ['EPIPE', { code: 'ERR_RKT_REGISTRY_TRUNCATED', transient: true, text: 'connection closed' }],
  ['UND_ERR_SOCKET', { code: 'ERR_RKT_REGISTRY_TRUNCATED', transient: true, text: 'connection closed early' }],
  [
    'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
    { code: 'ERR_RKT_REGISTRY_TRUNCATED', transient: true, text: 'body cut short' },
  ],
  ['ETIMEDOUT', { code: 'ERR_RKT_REGISTRY_TIMEOUT', transient: true, text: 'connecting timed out' }],
  ['UND_ERR_CONNECT_TIMEOUT', { code: 'ERR_RKT_REGISTRY_TIMEOUT', transient: true, text: 'connecting timed out' }],
  ['UND_ERR_HEADERS_TIMEOUT', { code: 'ERR_RKT_REGISTRY_TIMEOUT', transient: true, text: 'no answer in time' }],
  ['UND_ERR_BODY_TIMEOUT', { code: 'ERR_RKT_REGISTRY_TIMEOUT', transient: true, text: 'the transfer stalled' }],
  [
    'UND_ERR_HEADERS_OVERFLOW',
    { code: 'ERR_RKT_REGISTRY_PROTOCOL', transient: false, text: 'header fields too large' },
  ],
  [
    'UND_ERR_PRX_CONN',
    { code: 'ERR_RKT_REGISTRY_UNREACHABLE', transient: false, text: 'the proxy refused the connection' },
  ],
]);

/** How undici says that a proxy has made no tunnel, or wants credentials. */
const PROXY_STATUS = /^Proxy .*\(([0-9]{3})\)/;

const UNKNOWN_AUTHORITY = 'the certificate is not signed by an authority that is trusted here';
const NO_CLIENT_CERTIFICATE = 'the server demands a client certificate, and none that it accepts is configured';
/** Servers say so in either way, and OpenSSL's versions write the names differently. */
const DEMANDS_CERTIFICATE = /_ALERT_(BAD_CERTIFICATE|CERTIFICATE_REQUIRED)$/;
const NO_TLS = 'the server does not speak TLS';
const TLS_CODES: ReadonlyMap<string, string | undefined> = new Map([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNKNOWN_AUTHORITY],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNKNOWN_AUTHORITY],
  ['ERR_SSL_WRONG_VERSION_NUMBER', NO_TLS],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', NO_TLS],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'the server does not trust the client certificate'],
  ['EPROTO', undefined],
  ['HOSTNAME_MISMATCH', undefined],
  ['INVALID_CA', undefined],
]);

/** Codes of failures that another way to the origin, through a proxy, may mend. */
const NO_WAY: ReadonlySet<RegistryErrorCode> = new Set<RegistryErrorCode>([
  'ERR_RKT_REGISTRY_UNREACHABLE',
  'ERR_RKT_REGISTRY_TIMEOUT',
]);

/**
 * A failure of Node or undici as a RegistryError that names the origin. `advice` is what to do where the origin is not
 * reached.
 */
export function networkError(error: unknown, origin: string, advice?: string): RegistryError {
  if (error instanceof RegistryError) return error;
  const code = errorCode(error);
  const kind = KINDS.get(code) ?? kindOf(code, error);
  const { transient } = kind;
  const advised = advice !== undefined && NO_WAY.has(kind.code) ? `; ${advice}` : '';
  const message = `${origin}: ${kind.text}${advised}`;
  return new RegistryError(kind.code, message, { cause: withoutData(error), origin, transient });
}

/** undici's parser adds the bytes it could not read, and there may be a token among them. */
function withoutData(error: unknown): unknown {
  if (!(error instanceof Error) || !('data' in error)) return error;
  return Object.assign(new Error(error.message), { name: error.name, code: errorCode(error) });
}

function kindOf(code: string, error: unknown): Kind {
  const text = error instanceof Error ? error.message : String(error);
  if (TLS_CODES.has(code) || /^(ERR_TLS|ERR_SSL|CERT_|ERR_OSSL)/.test(code)) {
    const known = DEMANDS_CERTIFICATE.test(code) ? NO_CLIENT_CERTIFICATE : TLS_CODES.get(code);
    const reason = known === undefined ? text : `${known} (${code})`;
    return { code: 'ERR_RKT_REGISTRY_TLS', transient: false, text: `TLS failed: ${reason}` };
  }
  // What undici takes for granted of an answer it asserts, in words for its own developers.
  if (code === 'ERR_ASSERTION') {
    return { code: 'ERR_RKT_REGISTRY_PROTOCOL', transient: false, text: 'the answer is not HTTP' };
  }
  const [, status] = PROXY_STATUS.exec(text) ?? [];
  if (status !== undefined) {
    const transient = status.startsWith('5');
    return {
      code: 'ERR_RKT_REGISTRY_UNREACHABLE',
      transient,
      text: `the proxy refused the connection (status ${status})`,
    };
  }
  if (code.startsWith('HPE_') || (error instanceof Error && error.name === 'HTTPParserError')) {
    return { code: 'ERR_RKT_REGISTRY_PROTOCOL', transient: false, text: `the answer is not HTTP: ${text}` };
  }
  return { code: 'ERR_RKT_REGISTRY_UNREACHABLE', transient: false, text: code === '' ? text : `${text} (${code})` };
}
