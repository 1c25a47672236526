// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { errorCode } from '../error-code.ts';
import { RegistryError } from '../errors.ts';
import type { AbortOptions } from '../image/image.ts';
import { FieldError, field, optionalString, parseObject } from '../image/json.ts';
import type { Credential } from './credential.ts';

/** Which helper to ask for what. */
export interface HelperRequest {
  /** As in the configuration: `secretservice` for `docker-credential-secretservice`. */
  readonly helper: string;
  /** What the entry was stored under: a host, or `https://index.docker.io/v1/`. */
  readonly serverUrl: string;
  /** The file that says so, for messages. */
  readonly namedBy: string;
  /** Of the helper; `PATH` finds it. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const TIMEOUT_MS = 60_000;
/** What a helper has started, an agent for instance, may hold its output open for ever. */
const GRACE_MS = 1000;
const MAX_OUTPUT = 65_536;
const NOT_FOUND = 'credentials not found in native keychain';
/** The user name that says the secret is an identity token. */
const TOKEN_USER = '<token>';

/**
 * Runs `docker-credential-<helper> get`. No shell is involved and nothing a helper prints reaches a message: its
 * output may hold the secret.
 *
 * @throws {RegistryError} ERR_RKT_REGISTRY_CREDENTIAL_HELPER when it is missing, fails, times out or prints nonsense
 */
export async function askCredentialHelper(
  request: HelperRequest,
  options: AbortOptions,
): Promise<Credential | undefined> {
  const { helper } = request;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(helper)) throw failed(request, 'its name is not a file name');
  const { status, output } = await run(request, options);
  if (status === 0) return readAnswer(request, output);
  if (output.toString('utf8').trim() === NOT_FOUND) return undefined;
  throw failed(request, status === undefined ? 'it was killed' : `it ended with status ${status}`);
}

interface HelperResult {
  readonly status: number | undefined;
  readonly output: Buffer;
}

function run(request: HelperRequest, options: AbortOptions): Promise<HelperResult> {
  const { helper, serverUrl, env } = request;
  options.signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
    const child = spawn(`docker-credential-${helper}`, ['get'], { env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'] });
    // Nobody waits for it any more, so it gets no say in whether it ends, and what it has started none in whether we do.
    const giveUp = (reason: unknown): void => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      reject(reason);
    };
    const stop = (): void =>
      giveUp(
        options.signal?.aborted === true
          ? options.signal.reason
          : failed(request, `it did not answer within ${TIMEOUT_MS / 1000} s`),
      );
    signal.addEventListener('abort', stop, { once: true });
    const chunks: Buffer[] = [];
    let length = 0;
    child.once('error', (error) =>
      reject(failed(request, errorCode(error) === 'ENOENT' ? 'it is not installed' : 'it cannot be run')),
    );
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > MAX_OUTPUT) giveUp(failed(request, 'it printed too much'));
    });
    // A helper may end without reading its input; its status says whether that matters.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${serverUrl}\n`);
    let grace: NodeJS.Timeout | undefined;
    child.once('exit', () => {
      grace = setTimeout(() => child.stdout.destroy(), GRACE_MS);
    });
    child.once('close', (code) => {
      clearTimeout(grace);
      signal.removeEventListener('abort', stop);
      resolve({ status: code ?? undefined, output: Buffer.concat(chunks) });
    });
  });
}

function readAnswer(request: HelperRequest, output: Buffer): Credential | undefined {
  try {
    const answer = parseObject(output);
    const username = optionalString(field(answer, 'Username'), 'Username');
    const secret = optionalString(field(answer, 'Secret'), 'Secret');
    if (username === undefined || secret === undefined || (username === '' && secret === '')) return undefined;
    const source = nameOf(request);
    return username === TOKEN_USER
      ? { kind: 'identity-token', token: secret, source }
      : { kind: 'basic', username, password: secret, source };
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw failed(request, 'its answer is not what the protocol says');
  }
}

function nameOf({ helper, namedBy }: HelperRequest): string {
  return `docker-credential-${helper}, which ${namedBy} names`;
}

function failed(request: HelperRequest, reason: string): RegistryError {
  const text = `credential helper ${nameOf(request)}: ${reason}`;
  return new RegistryError('ERR_RKT_REGISTRY_CREDENTIAL_HELPER', text, { credentialSource: request.namedBy });
}
