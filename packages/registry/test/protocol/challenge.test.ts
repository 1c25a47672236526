// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../src/protocol/challenge.ts';

const plain = (fields: readonly string[]) =>
  parseChallenges(fields).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('parseChallenges', () => {
  it.each([
    [
      'the usual',
      ['Bearer realm="https://a/t",service="s",scope="repository:x:pull"'],
      [['bearer', { realm: 'https://a/t', service: 's', scope: 'repository:x:pull' }]],
    ],
    [
      'a comma in a quoted scope',
      ['Bearer realm="https://a/t",scope="repository:x:pull,push"'],
      [['bearer', { realm: 'https://a/t', scope: 'repository:x:pull,push' }]],
    ],
    ['any order, case and blanks', ['BEARER Scope="s" ,  REALM = "r"'], [['bearer', { scope: 's', realm: 'r' }]]],
    [
      'two challenges in one field',
      ['Basic realm="b", Bearer realm="t",service=x'],
      [
        ['basic', { realm: 'b' }],
        ['bearer', { realm: 't', service: 'x' }],
      ],
    ],
    [
      'two fields',
      ['Basic realm="b"', 'Bearer realm="t"'],
      [
        ['basic', { realm: 'b' }],
        ['bearer', { realm: 't' }],
      ],
    ],
    [
      'no parameters',
      ['Negotiate, Basic'],
      [
        ['negotiate', {}],
        ['basic', {}],
      ],
    ],
    [
      'token68 data',
      ['NTLM TlRMTVNTUAAC==, Bearer realm="t"'],
      [
        ['ntlm', {}],
        ['bearer', { realm: 't' }],
      ],
    ],
    ['escapes', [String.raw`Bearer realm="a\"b\\c"`], [['bearer', { realm: 'a"b\\c' }]]],
    [
      'unquoted values',
      ['Bearer realm=https://a.example/token,service=s'],
      [['bearer', { realm: 'https://a.example/token', service: 's' }]],
    ],
    ['the first of two equal names', ['Bearer realm="a",realm="b"'], [['bearer', { realm: 'a' }]]],
    ['empty elements', [',, Bearer realm="a",,scope="",'], [['bearer', { realm: 'a', scope: '' }]]],
    ['an unterminated string', ['Bearer realm="abc'], [['bearer', { realm: 'abc' }]]],
    ['garbage', ['="x" "y" ;;; ,='], []],
    ['nothing', [''], []],
  ])('reads %s', (_name, fields, expected) => {
    expect(plain(fields as string[])).toEqual(expected);
  });

  it('never throws and is done quickly, whatever comes', () => {
    const text = fc.string({ unit: fc.constantFrom(...'Ba =",\\;\t\u0000é'), maxLength: 200 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), (fields) => Array.isArray(parseChallenges(fields))),
      { numRuns: 1000 },
    );
    const start = performance.now();
    parseChallenges(Array.from({ length: 20 }, () => 'a '.repeat(500_000)));
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('does not mistake parameter names for properties', () => {
    const [challenge] = parseChallenges(['Bearer __proto__="x",constructor="y",realm="r"']);
    expect(challenge?.parameters.get('realm')).toBe('r');
    expect(challenge?.parameters.get('tostring')).toBeUndefined();
  });
});
