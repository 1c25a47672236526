// SPDX-License-Identifier: Apache-2.0
import { deepStrictEqual, ok } from 'node:assert/strict';
import { digestFault } from '../../src/digest.ts';
import { domainFault, looksLikeDomain } from '../../src/domain.ts';
import { pathFault, tagFault } from '../../src/grammar.ts';
import {
  formatAnyReference,
  formatCanonical,
  formatFamiliar,
  formatReference,
  isReferenceSyntaxError,
  matchFamiliar,
  type ParseOptions,
  parseAnyReference,
  parseDigest,
  parseImageArgument,
  parseReference,
} from '../../src/index.ts';
import { processorTime } from '../processor-time.ts';

const LIMIT_MS = 5;
const ROUNDS = 20;
const nginx = parseReference('nginx');

const readers: readonly ((input: string) => unknown)[] = [
  (input) => survives(input, {}),
  (input) => survives(input, { defaultTag: false }),
  (input) => survives(input, { mode: 'canonical' }),
  (input) => survives(input, { mode: 'strict' }),
  (input) => deepStrictEqual(parseAnyReference(formatAnyReference(parseAnyReference(input))), parseAnyReference(input)),
  (input) => deepStrictEqual(parseImageArgument(input).original, input),
  (input) => deepStrictEqual(parseDigest(input), input),
  (input) => matchFamiliar(input, nginx),
];

/** Called directly as well, since everything above caps its input. */
const scanners: readonly ((input: string) => unknown)[] = [
  pathFault,
  tagFault,
  domainFault,
  digestFault,
  looksLikeDomain,
];

/**
 * Throws unless each function of the package reads the input or refuses it with an error of its own that points into it,
 * what it reads is read back from how it is written, and none of that takes more than 5 ms of the processor.
 */
export function checkInput(input: string): void {
  for (const call of readers) inTime(() => readsOrRefuses(call, input));
  for (const call of scanners) inTime(() => call(input));
}

function survives(input: string, options: ParseOptions): void {
  const reference = parseReference(input, options);
  deepStrictEqual(parseReference(formatReference(reference), options), reference);
  ok(!reference.path.split('/').includes('..'));
  // What strict mode reads need not be normal, and the familiar form is for what is.
  if (options.mode === 'strict') return;
  const bare = reference.tag === undefined && reference.digest === undefined;
  deepStrictEqual(parseReference(formatFamiliar(reference), bare ? { defaultTag: false } : {}), reference);
  deepStrictEqual(parseReference(formatCanonical(reference)).digest, reference.digest);
}

function readsOrRefuses(call: (input: string) => unknown, input: string): void {
  try {
    call(input);
  } catch (error) {
    if (!isReferenceSyntaxError(error)) throw error;
    ok(Number.isInteger(error.offset) && error.offset >= 0 && error.offset <= input.length, `offset ${error.offset}`);
    ok(/^[\x20-\x7e]*$/.test(error.message), 'the message is not one printable line');
    deepStrictEqual(error.input, input);
  }
}

/** What was slow once may have been the compiler's turn, or another process's. */
function inTime(work: () => void): void {
  const started = performance.now();
  work();
  if (performance.now() - started <= LIMIT_MS) return;
  const mean = processorTime(ROUNDS, work);
  ok(mean <= LIMIT_MS, `took ${mean.toFixed(1)} ms`);
}
