// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/errors.ts';
import { renderError } from '../../src/render/error.ts';
import { renderJson } from '../../src/render/json.ts';
import { oneLine, quote } from '../../src/render/quote.ts';

const plain = { prefix: 'fetch', debug: false };

function coded(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code });
}

describe('an error', () => {
  it('is one line that begins with the command', () => {
    expect(renderError(new CliError('ERR_RKT_CLI_SIGNATURE_REQUIRED', 'not signed'), plain)).toBe(
      'fetch: not signed\n',
    );
  });

  it('is followed by what to do where that is known by its code', () => {
    expect(renderError(coded('ERR_RKT_STORE_AMBIGUOUS_PREFIX', 'ambiguous'), plain)).toBe(
      'fetch: ambiguous\nhint: give more digits of the ID\n',
    );
  });

  it('has the hint it carries before that of its code', () => {
    const error = new CliError('ERR_RKT_CLI_NOT_ROOT', 'no', { hint: 'do this' });
    expect(renderError(error, plain)).toBe('fetch: no\nhint: do this\n');
  });

  it('has the hint of its command where that of its code would mislead', () => {
    const error = coded('ERR_RKT_STAGE1_EXEC_NOT_FOUND', 'none');
    expect(renderError(error, { prefix: 'run', debug: false })).toMatch(/hint: .*--exec/);
    expect(renderError(error, { prefix: 'enter', debug: false })).toBe(
      'enter: none\nhint: name another command that the image of the app has: rkt enter POD CMD\n',
    );
  });

  it.each([
    [
      'UNAUTHORIZED',
      { origin: 'https://r.example:5000', credentialSource: '/root/.docker/config.json' },
      /and the credentials for r\.example:5000 from \/root\/\.docker\/config\.json$/,
    ],
    ['UNAUTHORIZED', { origin: 'https://r.example' }, /put credentials .*auth\.d of \/etc\/rkt /],
    ['TLS', { origin: 'https://r.example' }, / \/etc\/containers\/certs\.d\/r\.example, or, if you trust/],
    ['TLS', { cause: coded('ERR_SSL_X_ALERT_BAD_CERTIFICATE', 'alert') }, /NAME\.key, into .*certs\.d\/HOST:PORT$/],
    ['DENIED', { credentialSource: '/x.json' }, /credentials for the registry from \/x\.json$/],
    ['CREDENTIAL_HELPER', { credentialSource: '/x.json' }, /take it out of \/x\.json$/],
    ['NOT_FOUND', { reference: 'r.example/a:v' }, /its tag$/],
    ['NOT_FOUND', { reference: 'r.example/a@sha256:00' }, /its digest;/],
    ['NO_MATCHING_PLATFORM', { platforms: ['linux/arm64', 'linux/386'] }, /as --platform=linux\/arm64$/],
    ['NO_MATCHING_PLATFORM', { platforms: [] }, /look for another one$/],
  ])('of a registry, %s with %j, has a hint about what it is about', (code, facts, hint) => {
    const error = Object.assign(coded(`ERR_RKT_REGISTRY_${code}`, 'no'), facts);
    expect(renderError(error, plain).trimEnd().split('hint: ').at(-1)).toMatch(hint);
  });

  it('has a hint that names the directory of configuration that is in use', () => {
    const localConfig = '/home/me/$&/rkt';
    const registry = renderError(coded('ERR_RKT_REGISTRY_UNAUTHORIZED', 'no'), { ...plain, localConfig });
    expect(registry).toContain('auth.d of /home/me/$&/rkt or into');
    const own = new CliError('ERR_RKT_CLI_DOWNLOAD', 'no', { hint: 'see auth.d of LOCAL_CONFIG' });
    expect(renderError(own, { ...plain, localConfig })).toBe('fetch: no\nhint: see auth.d of /home/me/$&/rkt\n');
    for (const code of ['REGISTRY_UNREACHABLE', 'STAGE1_NETWORK_NOT_FOUND']) {
      expect(renderError(coded(`ERR_RKT_${code}`, 'no'), { ...plain, localConfig: '/x' })).toMatch(/ of \/x$/m);
    }
  });

  it('of the system is one line', () => {
    const error = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
    expect(renderError(error, plain)).toBe('fetch: ENOSPC: no space left on device, write\n');
  });

  it('that nobody foresaw shows where it happened', () => {
    const text = renderError(new TypeError('x is not a function'), plain);
    expect(text).toMatch(/^fetch: unexpected error: x is not a function\n {2}at /);
  });

  it('shows its causes with --debug alone', () => {
    const error = coded('ERR_RKT_REGISTRY_X', 'outer', coded('ECONNRESET', 'middle', new Error('inner')));
    expect(renderError(error, plain)).toBe('fetch: outer\n');
    expect(renderError(error, { ...plain, debug: true })).toBe('fetch: outer\n└─middle [ECONNRESET]\n  └─inner\n');
  });

  it('whose causes go round ends all the same', () => {
    const error = coded('ERR_RKT_X', 'round');
    error.cause = error;
    expect(renderError(error, { ...plain, debug: true }).split('\n').length).toBeLessThan(30);
  });

  it('never carries control characters or more than a thousand characters to the terminal', () => {
    const text = renderError(coded('ERR_RKT_X', `a\u001b[2J\r\nb\u202e${'c'.repeat(5000)}`), plain);
    expect(text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(text.length).toBeLessThan(1100);
  });
});

describe('text of unknown origin', () => {
  it('is one line', () => {
    expect(oneLine('a\n\tb\u2028c\u0085d')).toBe('a b c d');
  });

  it('is quoted with escapes and capped', () => {
    expect(quote('a\u001bb')).toBe('"a\\u001bb"');
    expect(quote('x'.repeat(500))).toHaveLength(165);
    expect(quote('plain', { marks: false })).toBe('plain');
  });

  it('is escaped in JSON where JSON itself does not', () => {
    expect(renderJson({ a: '\u001b\u009b\u2028\u202e' }, 'json')).toBe('{"a":"\\u001b\\u009b\\u2028\\u202e"}\n');
    expect(renderJson([{ a: 1 }], 'json-pretty')).toBe('[\n\t{\n\t\t"a": 1\n\t}\n]\n');
  });
});
