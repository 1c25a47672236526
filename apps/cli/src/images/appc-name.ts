// SPDX-License-Identifier: Apache-2.0
import { sanitizeAcIdentifier } from '@rkt/appc';
import { referenceOf } from './image-names.ts';

const HUB = 'docker.io';
const HUB_REGISTRY = 'registry-1.docker.io';

/** How the manifest of a converted image spells a name of the store, without tag or digest. */
export function appcNameOf(name: string): string | undefined {
  const reference = referenceOf(name);
  if (reference === undefined) return undefined;
  const domain = reference.domain === HUB ? HUB_REGISTRY : reference.domain;
  return sanitizeAcIdentifier(`${domain}/${reference.path}`);
}
