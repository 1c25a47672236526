// SPDX-License-Identifier: Apache-2.0
import type { RuntimeApp } from '@rkt/appc';
import { Stage1Error } from '../../error.ts';
import type { Host, Syscalls } from '../../host/index.ts';
import { resolveInRoot } from '../../mounts/index.ts';
import { type IdRange, type OciMount, type ResolvedUser, resolveUser } from '../../oci-spec/index.ts';
import { quote } from '../../quote.ts';
import type { AppContext } from '../flavor.ts';
import { inRootfs, readImageFile } from './image-files.ts';

/** `resolveUser` refuses more than this; one byte more is read for it to notice. */
const maxDatabase = 4 * 1024 * 1024;

/** What an app means on the root filesystem of its image. */
export interface ResolvedApp {
  readonly user: ResolvedUser;
  /** Without links, so that one cannot lead where a working directory must not be (CVE-2024-21626). */
  readonly workingDirectory: string;
  /** Those of the context, at places without links. */
  readonly mounts: readonly OciMount[];
}

/**
 * Looks up the user of an app whose root filesystem is mounted, and follows the links of the image.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MOUNT_INVALID for an image whose /proc, /dev or /sys is a link;
 *   ERR_RKT_STAGE1_ID_OUT_OF_RANGE for users that a pod with private users does not have; what resolveUser throws
 */
export async function resolveApp(host: Host, context: AppContext): Promise<ResolvedApp> {
  const { app, pod } = context;
  const stated = app.app.workingDirectory || '/';
  const { database, ...places } = await inRootfs(host, context, (syscalls, root) => {
    const resolve = (destination: string): string => resolveInRoot(syscalls, root, destination);
    for (const path of kernelPlaces) requireOrdinary(path, resolve(path));
    return {
      workingDirectory: isPath(stated) ? resolve(stated) : stated,
      database: readUserDatabase(syscalls, root),
      mounts: context.mounts.map((mount) => ({ ...mount, destination: resolve(mount.destination) })),
    };
  });
  const user = resolveUser(...database, {
    user: app.app.user,
    group: app.app.group,
    groupUnstated: isGroupUnstated(app),
    ...(app.app.supplementaryGIDs && { supplementaryGids: app.app.supplementaryGIDs }),
  });
  if (pod.users !== undefined) requireMapped(pod.users, user);
  return { ...places, user };
}

/** The image's /etc/passwd and /etc/group, as resolveUser takes them. */
export function readUserDatabase(
  syscalls: Syscalls,
  root: number,
): readonly [passwd: string | undefined, group: string | undefined] {
  const read = (path: string): string | undefined =>
    readImageFile(syscalls, root, { path, limit: maxDatabase + 1 })?.toString();
  return [read('/etc/passwd'), read('/etc/group')];
}

/**
 * The kernel would refuse them with a word that says nothing.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_ID_OUT_OF_RANGE
 */
export function requireMapped({ count }: IdRange, { uid, gid, additionalGids }: ResolvedUser): void {
  const beyond = [uid, gid, ...additionalGids].find((id) => id >= count);
  if (beyond === undefined) return;
  const message = `user or group ${beyond} is out of range: a pod with private users has 0 to ${count - 1}`;
  throw new Stage1Error('ERR_RKT_STAGE1_ID_OUT_OF_RANGE', message);
}

/** Where every app gets file systems of the kernel's. */
export const kernelPlaces: readonly string[] = ['/proc', '/dev', '/sys'];

/** Runtimes have followed such a link, and put on the host what belongs to the app (CVE-2019-19921, CVE-2026-41579). */
function requireOrdinary(path: string, resolved: string): void {
  if (path === resolved) return;
  const message = `${path} of the image is a symbolic link to ${quote(resolved)}, expected a directory`;
  throw new Stage1Error('ERR_RKT_STAGE1_MOUNT_INVALID', message);
}

/** What is none is refused with the rest of the app section. */
function isPath(text: string): boolean {
  return text.startsWith('/') && !text.includes('\0');
}

/** Docker's `USER` as the image had it: without a group, and still the user of the app. */
function isGroupUnstated({ app, annotations = [] }: RuntimeApp): boolean {
  const stated = annotations.find(({ name }) => name === 'appc.io/docker/user')?.value;
  return stated === app.user && !stated.includes(':') && app.group === app.user;
}
