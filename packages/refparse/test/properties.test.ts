// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatFamiliar,
  formatReference,
  isReferenceSyntaxError,
  parseImageArgument,
  parseReference,
  type Reference,
} from '../src/index.ts';

const component = fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}$/);
const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const domain = fc.oneof(
  fc.constantFrom('docker.io', 'localhost', 'localhost:5000', '[::1]:5000', '[2001:db8::1]', 'Example', '10.0.0.1:80'),
  fc.stringMatching(/^[a-z0-9]{1,5}\.[a-z]{2,5}(:[1-9][0-9]{0,3})?$/),
);
const reference = fc
  .record({
    domain,
    path: fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/')),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined }),
    digest: fc.option(
      fc.oneof(
        hex(64).map((text) => `sha256:${text}` as const),
        hex(128).map((text) => `sha512:${text}` as const),
      ),
      { nil: undefined },
    ),
  })
  .filter(({ tag, digest }) => tag !== undefined || digest !== undefined);

describe('references', () => {
  it('survive formatting in both forms', () => {
    fc.assert(
      fc.property(reference, (value: Reference) => {
        expect(parseReference(formatReference(value))).toEqual(value);
        expect(parseReference(formatFamiliar(value))).toEqual(value);
      }),
    );
  });

  it('are read or refused, and nothing else, for any text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: fc.constantFrom(...'aA0.:/@-_[]=, \n\u202e'), maxLength: 40 }),
    );
    fc.assert(
      fc.property(text, (input) => {
        for (const read of [parseReference, parseImageArgument]) {
          try {
            read(input);
          } catch (error) {
            expect(isReferenceSyntaxError(error)).toBe(true);
            if (!isReferenceSyntaxError(error)) return;
            expect(error.offset).toBeGreaterThanOrEqual(0);
            expect(error.offset).toBeLessThanOrEqual(input.length);
            expect(error.message).toMatch(/^[\x20-\x7e]*$/);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('that parse never contain what a path or a URL would act on', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab.:/@-_%?#\\'), maxLength: 24 });
    fc.assert(
      fc.property(text, (input) => {
        let parsed: Reference;
        try {
          parsed = parseReference(input);
        } catch {
          return;
        }
        expect(parsed.path.split('/')).not.toContain('..');
        expect(parsed.path).not.toMatch(/[%?#\\:@]|^\/|\/$|\/\//);
      }),
      { numRuns: 5000 },
    );
  });
});
