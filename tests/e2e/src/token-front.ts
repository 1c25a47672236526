// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';

export const SERVICE = 'test registry';
export const ISSUER = 'test tokens';

export interface TokenFrontSettings {
  readonly port: number;
  /** The registry that is behind it. */
  readonly registryPort: number;
  /** Files of the pair that signs; the registry trusts the certificate. */
  readonly cert: string;
  readonly key: string;
  readonly login: { readonly user: string; readonly password: string };
}

/** A token server at `/token` and a registry behind it: both at one origin, as registries in use have it. */
export async function startTokenFront(settings: TokenFrontSettings): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://front');
    if (url.pathname === '/token') answerToken(settings, { request, response, url });
    else pass(settings.registryPort, request, response);
  });
  await new Promise<void>((resolve) => server.listen(settings.port, '127.0.0.1', resolve));
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

function answerToken(settings: TokenFrontSettings, { request, response, url }: Exchange): void {
  const { user, password } = settings.login;
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  if (request.headers.authorization !== expected) {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'no such user or wrong password' }] }));
    return;
  }
  const [, name = ''] = /^repository:(.+):pull$/.exec(url.searchParams.get('scope') ?? '') ?? [];
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ token: signToken(settings, user, name), expires_in: 300 }));
}

/** A JSON Web Token as docker-registry wants it, with the certificate of its signer in the header. */
function signToken({ cert, key }: TokenFrontSettings, user: string, name: string): string {
  const seconds = Math.floor(Date.now() / 1000);
  const header = { typ: 'JWT', alg: 'RS256', x5c: [new X509Certificate(readFileSync(cert)).raw.toString('base64')] };
  const claims = {
    iss: ISSUER,
    sub: user,
    aud: SERVICE,
    iat: seconds,
    nbf: seconds - 10,
    exp: seconds + 300,
    jti: randomUUID(),
    access: [{ type: 'repository', name, actions: ['pull'] }],
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign('sha256', Buffer.from(text), createPrivateKey(readFileSync(key))).toString('base64url')}`;
}

function pass(port: number, request: IncomingMessage, response: ServerResponse): void {
  const options = { host: '127.0.0.1', port, path: request.url, method: request.method, headers: request.headers };
  const onward = forward(options, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}
