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

/** The name of the store that a manifest's name and version speak of, as far as that can be told. */
export function storedNameOf(name: string, version: string | undefined): string {
  const tagged = version === undefined || name.endsWith(`:${version}`) ? name : `${name}:${version}`;
  // No domain has an underscore: it stands for the colon before a port.
  return tagged.replace(/^registry-1\.docker\.io\//, `${HUB}/`).replace(/^([^/_]+)_(\d{1,5})\//, '$1:$2/');
}
