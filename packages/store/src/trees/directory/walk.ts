// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants } from 'node:fs';
import type { ByteString } from '@rkt/appc';
import { printable, toStoreError } from '../../errors.ts';
import { type Inode, pathOf } from '../inventory.ts';
import { isTreeError, treeError } from '../tree-error.ts';
import { applyToHandle } from './attributes.ts';
import { createNode } from './create.ts';
import { type Extraction, type Frame, handleOf } from './extraction.ts';

const OPEN_DIRECTORY: number = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Fills an open, empty directory and everything below it, then gives it its attributes: those of a directory come
 * after its children, so that neither its mode bars us nor its time changes again. Yields between files and parts of
 * large ones. Takes over `handle`.
 */
export function* extractDirectory(extraction: Extraction, root: Inode, handle: number): Generator<void> {
  const stack: Frame[] = [{ inode: root, name: '', parent: undefined, handle, next: 0 }];
  try {
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const child = nextEntry(frame);
      if (child === undefined) {
        finish(extraction, frame);
        stack.pop();
      } else if (child.inode.directory === undefined) {
        yield* reporting(child.inode, createNode(extraction, frame, child));
      } else {
        stack.push(enter(extraction, frame, child));
      }
      yield;
    }
  } finally {
    for (const frame of stack) close(frame);
  }
}

interface Entry {
  readonly inode: Inode;
  readonly name: ByteString;
}

/** The next entry that is neither `.` nor `..`. */
function nextEntry(frame: Frame): Entry | undefined {
  const { names, inodes } = frame.inode.directory ?? { names: [], inodes: [] };
  while (frame.next < names.length) {
    const name = names[frame.next];
    const inode = inodes[frame.next];
    frame.next += 1;
    if (name !== undefined && inode !== undefined && name !== '.' && name !== '..') return { name, inode };
  }
  return undefined;
}

function enter({ calls }: Extraction, parent: Frame, { inode, name }: Entry): Frame {
  try {
    const directory = handleOf(parent);
    calls.mkdirat(directory, name, 0o700);
    return { inode, name, parent, handle: calls.openat(directory, name, OPEN_DIRECTORY, 0), next: 0 };
  } catch (error) {
    throw failure(inode, error);
  }
}

function finish(extraction: Extraction, frame: Frame): void {
  try {
    applyToHandle(extraction, handleOf(frame), frame.inode.node);
  } catch (error) {
    throw failure(frame.inode, error);
  }
  close(frame);
}

function* reporting(inode: Inode, steps: Generator<void>): Generator<void> {
  try {
    yield* steps;
  } catch (error) {
    throw failure(inode, error);
  }
}

/** Says which entry it was. */
function failure(inode: Inode, error: unknown): unknown {
  if (isTreeError(error)) return treeError(error.code, error.message, { entry: pathOf(inode), cause: error });
  return toStoreError(error, `cannot write ${printable(pathOf(inode)) || '/'}`);
}

function close(frame: Frame): void {
  if (frame.handle !== undefined) closeSync(frame.handle);
  frame.handle = undefined;
}
