// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
} from 'node:fs';
import type { Volume } from '@rkt/appc';
import { Stage1Error } from '../error.ts';
import { type Host, type Syscalls, SystemCallError } from '../host/index.ts';
import { quote } from '../quote.ts';
import { removeTree } from './remove-tree.ts';

/** A directory of the image whose content a new volume starts with. */
export interface VolumeSeed {
  readonly fd: number;
  readonly isEmpty: boolean;
}

/**
 * Opens what the image has at a volume's place; undefined when that is no directory. To be called where the root
 * filesystem is mounted; the handle is good anywhere.
 */
export function openSeed(syscalls: Syscalls, rootfs: number, path: string): VolumeSeed | undefined {
  let fd: number;
  try {
    fd = syscalls.openInRoot(rootfs, path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (error instanceof SystemCallError && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.code)) return undefined;
    throw error;
  }
  return { fd, isEmpty: readdirSync(`/proc/self/fd/${fd}`).length === 0 };
}

/**
 * Makes an empty volume. As in Docker it starts with the content, owner and mode of the image's directory of its place;
 * what the volume itself states goes before that. It gets its name when it is complete, so that no app ever sees, or
 * meddles with, half a copy; a volume that exists is left as it is.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MOUNT_FAILED
 */
export async function makeEmptyVolume(host: Host, target: string, from: EmptyVolumeOptions): Promise<void> {
  if (existsSync(target)) return;
  const { seed } = from;
  const unfinished = `${target}.new`;
  await removeTree(host, unfinished);
  mkdirSync(unfinished, { recursive: true });
  if (seed !== undefined) await copySeed(host, seed, unfinished);
  const { uid, gid, mode } = attributes(from);
  chownSync(unfinished, uid, gid);
  chmodSync(unfinished, mode);
  renameSync(unfinished, target);
}

export interface EmptyVolumeOptions {
  readonly volume: Volume;
  readonly seed: VolumeSeed | undefined;
  /** Whom of the host the pod's user 0 is. */
  readonly firstId: number;
}

export function closeSeed(seed: VolumeSeed | undefined): void {
  if (seed !== undefined) closeSync(seed.fd);
}

/** Owners, modes, times, extended attributes and links are kept; links are copied, not followed. */
async function copySeed(host: Host, seed: VolumeSeed, target: string): Promise<void> {
  if (seed.isEmpty) return;
  const child = host.processes.spawn({
    file: host.findExecutable('cp') ?? 'cp',
    args: ['-a', '--', '/proc/self/fd/3/.', target],
    stdio: ['ignore', 'ignore', 'pipe', seed.fd],
  });
  if ((await child.exit) === 0) return;
  const message = `cannot copy the image's content into a volume: ${quote(child.errorOutput(), 300)}`;
  throw new Stage1Error('ERR_RKT_STAGE1_MOUNT_FAILED', message);
}

/** The image's files are seen as the host's users have them; what is stated is meant as the pod has it. */
function attributes({ volume, seed, firstId }: EmptyVolumeOptions): {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
} {
  const image = seed && fstatSync(seed.fd);
  const ofHost = (id: number | undefined, others: number | undefined): number =>
    id === undefined ? (others ?? firstId) : firstId + id;
  return {
    uid: ofHost(volume.uid, image?.uid),
    gid: ofHost(volume.gid, image?.gid),
    mode: volume.mode === undefined ? (image?.mode ?? 0o755) & 0o7777 : Number.parseInt(volume.mode, 8),
  };
}
