// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants } from 'node:fs';
import type { ByteString, DeviceNode, FifoNode, FileNode } from '@rkt/appc';
import { deviceNumber } from '../../host/device-number.ts';
import type { DirectoryEntry } from '../../host/tree-syscalls.ts';
import type { Inode } from '../inventory.ts';
import { applyToEntry, applyToHandle } from './attributes.ts';
import { copyContent } from './content.ts';
import { type Extraction, type FirstName, type Frame, handleOf, O_PATH } from './extraction.ts';

const CREATE_FILE: number = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const OPEN_PATH: number = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export interface NewEntry {
  readonly inode: Inode;
  readonly name: ByteString;
}

/** Creates anything but a directory: the node at its first name, a hard link at further ones. */
export function* createNode(extraction: Extraction, frame: Frame, { inode, name }: NewEntry): Generator<void> {
  const entry = { directory: handleOf(frame), name };
  const first = extraction.firstNames.get(inode);
  if (first !== undefined) {
    linkTo(extraction, first, entry);
    return;
  }
  const { node } = inode;
  switch (node.kind) {
    case 'file':
      yield* createFile(extraction, entry, node);
      break;
    case 'symlink':
      extraction.calls.symlinkat(node.target, entry.directory, name);
      applyToEntry(extraction, entry, node);
      break;
    case 'fifo':
    case 'character-device':
    case 'block-device':
      if (node.kind !== 'fifo' && !extraction.privileged) return;
      createSpecial(extraction, entry, node);
      break;
  }
  if (inode.links > 1) extraction.firstNames.set(inode, { frame, name });
}

function* createFile(extraction: Extraction, entry: DirectoryEntry, node: FileNode): Generator<void> {
  const file = extraction.calls.openat(entry.directory, entry.name, CREATE_FILE, 0o600);
  try {
    yield* copyContent(extraction, file, node);
    applyToHandle(extraction, file, node);
  } finally {
    closeSync(file);
  }
}

const TYPE_BITS: Readonly<Record<(DeviceNode | FifoNode)['kind'], number>> = {
  fifo: constants.S_IFIFO,
  'character-device': constants.S_IFCHR,
  'block-device': constants.S_IFBLK,
};

function createSpecial(extraction: Extraction, entry: DirectoryEntry, node: DeviceNode | FifoNode): void {
  const device = node.kind === 'fifo' ? 0n : deviceNumber(node);
  extraction.calls.mknodat(entry.directory, entry.name, { mode: TYPE_BITS[node.kind] | 0o600, device });
  applyToEntry(extraction, entry, node);
}

function linkTo(extraction: Extraction, first: FirstName, entry: DirectoryEntry): void {
  if (first.frame.handle !== undefined) {
    extraction.calls.linkat({ directory: first.frame.handle, name: first.name }, entry);
    return;
  }
  const directory = reopen(extraction, first.frame);
  try {
    extraction.calls.linkat({ directory, name: first.name }, entry);
  } finally {
    closeSync(directory);
  }
}

/** Opens a completed directory again, name by name from the nearest one that is still open. */
function reopen({ calls }: Extraction, frame: Frame): number {
  const path: ByteString[] = [];
  let base: Frame = frame;
  for (; base.handle === undefined && base.parent !== undefined; base = base.parent) path.push(base.name);
  let directory = handleOf(base);
  let mine = false;
  for (const name of path.reverse()) {
    try {
      const next = calls.openat(directory, name, OPEN_PATH, 0);
      if (mine) closeSync(directory);
      directory = next;
    } catch (error) {
      if (mine) closeSync(directory);
      throw error;
    }
    mine = true;
  }
  return directory;
}
