// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Survey } from './survey.ts';
import { type Difference, isTimeOfUnpacking } from './umoci-differences.ts';

/**
 * What is mounted goes with the namespace; the storage is a directory of the caller's. The layout is mounted where its path makes
 * a name of an image: buildah calls one after the layout it is from.
 */
const SCRIPT = `set -e
mount --bind "$LAYOUT" /mnt
with_storage() { "$BUILDAH" --root "$STORAGE/root" --runroot "$STORAGE/run" --storage-driver overlay "$@"; }
container=$(with_storage from --quiet oci:/mnt:latest)
exec "$NODE" --no-warnings "$SURVEY" "$(with_storage mount "$container")"
`;

export interface BuildahImage {
  /** The program. */
  readonly buildah: string;
  /** An OCI layout with a tag `latest`. */
  readonly layout: string;
  /** An existing directory. */
  readonly scratch: string;
}

/** The root filesystem of an image as buildah mounts it. Needs root. */
export function surveyedByBuildah({ buildah, layout, scratch }: BuildahImage): Survey {
  const env = {
    ...process.env,
    BUILDAH: buildah,
    STORAGE: join(scratch, 'buildah'),
    LAYOUT: layout,
    NODE: process.execPath,
    SURVEY: fileURLToPath(new URL('survey.ts', import.meta.url)),
  };
  const command = ['--mount', '--propagation', 'private', 'sh', '-c', SCRIPT];
  return JSON.parse(execFileSync('unshare', command, { env, encoding: 'utf8', maxBuffer: 1024 ** 3 }));
}

/** What buildah 1.28.2 is known to do otherwise. Each is argued in docs/trees.md. */
export const buildahDifferences: Readonly<Record<string, (difference: Difference) => boolean>> = {
  'gives a root that no layer states the mode 0555': ({ path, field, ours, theirs }) =>
    path === '.' && field === 'mode' && ours === '40755' && theirs === '40555',
  'gives directories that no entry states, and those they are in, the time of unpacking': isTimeOfUnpacking,
};
