// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileTree } from '@rkt/appc';
import { toStoreError } from '../errors.ts';
import { currentOwner, isOwner, isOwnerAlive } from '../host/owner.ts';
import { loadTreeSyscalls, SystemCallError, type TreeSyscalls } from '../host/tree-syscalls.ts';
import { BLOCK_SIZE } from './erofs/format.ts';
import { writeErofs } from './erofs/write-erofs.ts';

export type ErofsSupport = { readonly usable: true } | { readonly usable: false; readonly reason: string };

/**
 * Whether this process may mount EROFS straight from files of the file system `dir` is on: by mounting a tiny image
 * and reading a file through it, not by looking at versions. The mount is in no namespace and ends with the call;
 * nobody else can see it. About a millisecond after the native bridge is loaded. The answer holds for a boot.
 *
 * Throws: ERR_RKT_STORE_DISK_FULL, ERR_RKT_STORE_PERMISSION, ERR_RKT_STORE_IO when the image cannot be written.
 */
export async function probeErofs(dir: string): Promise<ErofsSupport> {
  let calls: TreeSyscalls;
  try {
    calls = await loadTreeSyscalls();
  } catch (error) {
    return { usable: false, reason: `system calls cannot be made here: ${String(error)}` };
  }
  const scratch = makeScratch(dir);
  try {
    writeSamples(scratch);
    return tryMount(calls, scratch);
  } catch (error) {
    throw toStoreError(error, 'cannot write an image to try EROFS with', scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const SCRATCH = 'erofs-probe-';

/** Beside those of processes that live; what a killed one left goes on the way, if it can be removed. */
function makeScratch(dir: string): string {
  try {
    for (const name of readdirSync(dir).filter(isAbandoned)) removeLeftover(join(dir, name));
    return mkdtempSync(join(dir, `${SCRATCH}${currentOwner()}-`));
  } catch (error) {
    throw toStoreError(error, 'cannot make a directory to try EROFS in', dir);
  }
}

function isAbandoned(name: string): boolean {
  if (!name.startsWith(SCRATCH)) return false;
  const owner = name.slice(SCRATCH.length, name.lastIndexOf('-'));
  return isOwner(owner) && !isOwnerAlive(owner);
}

function removeLeftover(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // It may be somebody else's, and is nothing that stops us: whether pods run must not depend on it.
  }
}

const CONTENT = 'content in another file\n';
const METADATA_FILE = 'metadata.erofs';
const LAYER_FILE = 'layer.tar';

function writeSamples(scratch: string): void {
  const layer = Buffer.alloc(2 * BLOCK_SIZE);
  layer.write(CONTENT, BLOCK_SIZE);
  writeFileSync(join(scratch, LAYER_FILE), layer);
  writeFileSync(join(scratch, METADATA_FILE), writeErofs(sampleTree(layer.length)));
}

function sampleTree(layerSize: number): FileTree {
  const attributes = { mode: 0o755, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };
  const probe = {
    kind: 'file',
    attributes,
    origin: { layer: 0, headerOffset: 0 },
    size: CONTENT.length,
    extents: [{ fileOffset: 0, tarOffset: BLOCK_SIZE, length: CONTENT.length }],
  } as const;
  return {
    layers: [{ diffId: `sha256:${'0'.repeat(64)}`, size: layerSize }],
    root: { kind: 'directory', attributes, origin: undefined, children: new Map([['probe', probe]]) },
  };
}

function tryMount(calls: TreeSyscalls, scratch: string): ErofsSupport {
  const handles: number[] = [];
  try {
    const source = openSync(join(scratch, METADATA_FILE), 'r');
    handles.push(source);
    const device = openSync(join(scratch, LAYER_FILE), 'r');
    handles.push(device);
    const root = calls.mountErofsDetached(source, [device]);
    handles.push(root);
    const content = readFileSync(`/proc/self/fd/${root}/probe`, 'latin1');
    if (content === CONTENT) return { usable: true };
    return { usable: false, reason: 'a mounted image shows wrong content' };
  } catch (error) {
    if (error instanceof SystemCallError) return { usable: false, reason: explain(error) };
    throw error;
  } finally {
    for (const handle of handles) closeSync(handle);
  }
}

function explain({ code, syscall }: SystemCallError): string {
  const known = REASONS[code];
  return known === undefined ? `mounting EROFS from files failed: ${syscall}: ${code}` : known;
}

const REASONS: Readonly<Record<string, string>> = {
  EPERM: 'mounting needs the capability SYS_ADMIN',
  EACCES: 'mounting is denied by a security policy',
  ENODEV: 'the kernel has no EROFS',
  ENOSYS: 'the kernel has no file-system context calls (Linux 5.2)',
  ENOTBLK: 'the kernel mounts EROFS from block devices only (files need Linux 6.12)',
};
