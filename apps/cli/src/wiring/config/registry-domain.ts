// SPDX-License-Identifier: Apache-2.0
import { tryParseReference } from '@rkt/refparse';
import { quote } from '../../render/quote.ts';
import { redactUrl } from './redact.ts';

const HUB: readonly string[] = ['index.docker.io', 'registry-1.docker.io', 'docker.io'];

/**
 * The domain of a registry as references have it. Old spellings of Docker Hub mean Docker Hub, as they do in references.
 * Throws an Error that names the field `what` for anything else.
 */
export function registryDomain(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} must be a string`);
  if (HUB.includes(value)) return 'docker.io';
  const parsed = tryParseReference(`${value}/x`);
  if (parsed === undefined || parsed.domain !== value) {
    throw new Error(`${what} must name a registry as host[:port], got ${quote(redactUrl(value))}`);
  }
  return value;
}
