// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tryParseReference } from '../src/index.ts';

/** Domain, path, tag and digest, null for what is left out. */
type Outcome = readonly [string | null, string | null, string | null, string | null] | 'refused';

interface Recorded {
  readonly peers: readonly string[];
  /** Of each input, what each peer makes of it, in the order of `peers`. */
  readonly results: Readonly<Record<string, readonly Outcome[]>>;
}

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const recorded: Recorded = JSON.parse(read('./vectors/peers.json'));

const a = (count: number): string => 'a'.repeat(count);
const accepted = (input: string, ...parts: [string, string, string | null, (string | null)?]) =>
  [input, [parts[0], parts[1], parts[2], parts[3] ?? null]] as const;
const refused = (...inputs: readonly string[]) => inputs.map((input) => [input, 'refused'] as const);

/** What the rows of the table mean: inputs and what is right. */
const features: Readonly<Record<string, readonly (readonly [string, Outcome])[]>> = {
  'short names, as Docker reads them': [
    accepted('nginx', 'docker.io', 'library/nginx', 'latest'),
    accepted('user/app:1', 'docker.io', 'user/app', '1'),
    accepted('index.docker.io/nginx', 'docker.io', 'library/nginx', 'latest'),
    accepted('docker.io/nginx', 'docker.io', 'library/nginx', 'latest'),
    accepted('localhost/app', 'localhost', 'app', 'latest'),
    accepted('REGISTRY/app', 'REGISTRY', 'app', 'latest'),
  ],
  'ports, paths of any depth': [
    accepted('localhost:5000/app', 'localhost:5000', 'app', 'latest'),
    accepted('quay.io:443/team/app/b/c:1', 'quay.io:443', 'team/app/b/c', '1'),
  ],
  'IPv6 hosts': [
    accepted('[::1]/app:1', '[::1]', 'app', '1'),
    accepted('[2001:db8::1]:5000/team/app', '[2001:db8::1]:5000', 'team/app', 'latest'),
  ],
  'tag and digest together': [
    accepted(`nginx:1@sha256:${a(64)}`, 'docker.io', 'library/nginx', '1', `sha256:${a(64)}`),
    accepted(`h:1/team/app:c@sha256:${'0'.repeat(64)}`, 'h:1', 'team/app', 'c', `sha256:${'0'.repeat(64)}`),
  ],
  'SHA-384 and SHA-512': [
    accepted(`quay.io/team/app@sha384:${a(96)}`, 'quay.io', 'team/app', null, `sha384:${a(96)}`),
    accepted(`quay.io/team/app@sha512:${a(128)}`, 'quay.io', 'team/app', null, `sha512:${a(128)}`),
  ],
  'refuses wrong paths': refused(
    '',
    'Nginx',
    'a//b',
    'a b',
    '-a',
    'a/',
    'a..b',
    'a/../b',
    'h.io/',
    'a?b',
    'a\n',
    a(256),
  ),
  'refuses wrong hosts': refused('a..b/c', '-a.b/c', 'h:port/a', 'h:/a', '[::1/a', 'h.io:1:2/a', 'user@h.io/a'),
  'refuses ports out of range': refused('h:0/a', 'h:65536/a'),
  'refuses wrong tags': refused('a:', 'a:-1', 'a:b c', `a:${a(129)}`, 'a:b:c', 'a:b/'),
  'refuses wrong digests': refused(
    ...['a@', 'a@sha256:', `a@sha256:${a(63)}`, `a@sha256:${'A'.repeat(64)}`, `a@sha256:${'g'.repeat(64)}`],
    ...[`a@sha512:${a(64)}`, `a@md5:${a(32)}`],
  ),
  'refuses image IDs as names': refused(a(64)),
};

const rows = read('../README.md')
  .slice(read('../README.md').indexOf('| feature'))
  .split('\n\n', 1)[0]
  ?.split('\n')
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const [head = [], , ...body] = rows ?? [];

/** A peer that adds no default tag is not blamed for that. */
function agrees(actual: Outcome | undefined, right: Outcome): boolean {
  if (actual === undefined || actual === 'refused' || right === 'refused') return actual === right;
  return right.every((part, index) => part === actual[index] || (part === 'latest' && actual[index] === null));
}

function cell(right: readonly boolean[]): string {
  const count = right.filter((each) => each).length;
  if (count === right.length) return 'yes';
  return count === 0 ? 'no' : `${count} of ${right.length}`;
}

describe('the comparison in the README', () => {
  it('has the peers whose results are recorded as its columns', () => {
    expect(head.slice(2, -1)).toEqual(recorded.peers);
    expect(body.map(([what]) => what)).toEqual(expect.arrayContaining(Object.keys(features)));
  });

  it.each(Object.entries(features))('%s: is what we do, and what the peers were seen to do', (what, probes) => {
    for (const [input, right] of probes) {
      const { domain, path, tag = null, digest = null } = tryParseReference(input) ?? {};
      const ours: Outcome = domain === undefined || path === undefined ? 'refused' : [domain, path, tag, digest];
      expect(ours, JSON.stringify(input)).toEqual(right);
    }
    const peers = recorded.peers.map((_, peer) =>
      cell(probes.map(([input, right]) => agrees(recorded.results[input]?.[peer], right))),
    );
    const row = body.find(([name]) => name === what);
    expect(row?.slice(1, -1)).toEqual(['yes', ...peers]);
  });

  it.each(body.map((row) => [row[0], row.at(-1)]))('%s is shown by a test that exists', (_what, shown) => {
    const [, file = '', title = ''] = /^`([^`]+)`(?:: (.+))?$/.exec(shown ?? '') ?? [];
    const source = read(`./${file}`);
    expect(title === '' ? source : source.includes(`'${title}'`)).toBeTruthy();
  });
});
