// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** An npm registry that runs. */
export interface LocalRegistry extends AsyncDisposable {
  /** Its address, on loopback. */
  readonly url: string;
  /** The lines of an `.npmrc` that send our packages there, as a user who may publish. */
  readonly npmrc: string;
}

/** Starts an empty npm registry that knows no other one and keeps everything in a directory. */
export async function startLocalRegistry(directory: string): Promise<LocalRegistry> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'config.yaml'), JSON.stringify(configuration(directory)));
  const script = fileURLToPath(new URL('local-registry-server.ts', import.meta.url));
  const server = spawn(process.execPath, [script, directory], {
    cwd: directory,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, HOME: directory, NODE_OPTIONS: '' },
  });
  const stop = async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    if (server.kill('SIGKILL')) await ended;
  };
  try {
    const url = `http://127.0.0.1:${await listening(server)}/`;
    const credentials = `${url.slice('http:'.length)}:_authToken=${await signUp(url)}`;
    return { url, npmrc: `@rkt:registry=${url}\n${credentials}\n`, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Written as JSON, which YAML includes. */
function configuration(directory: string): object {
  const rights = { access: '$all', publish: '$authenticated' };
  return {
    storage: join(directory, 'storage'),
    auth: { htpasswd: { file: join(directory, 'htpasswd'), max_users: 1 } },
    uplinks: {},
    packages: { '@rkt/*': rights },
    web: { enable: false },
    max_body_size: '100mb',
    log: { type: 'file', path: join(directory, 'log'), format: 'json', level: 'warn' },
  };
}

async function listening(server: ChildProcess): Promise<string> {
  if (server.stdout === null) throw new Error('the registry has no output');
  for await (const line of createInterface(server.stdout)) {
    const port = /^port (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error('the registry ended before it listened');
}

async function signUp(url: string): Promise<string> {
  const user = { name: 'maintainer', password: 'of-a-rehearsal' };
  const response = await fetch(`${url}-/user/org.couchdb.user:${user.name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(user),
  });
  const { token }: { token?: string } = JSON.parse(await response.text());
  if (token === undefined) throw new Error(`the registry gave no token: ${response.status}`);
  return token;
}
