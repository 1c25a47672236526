// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { printable, StoreError, toStoreError } from '../../errors.ts';
import type { UpperFile, UpperPlace } from './read-upper.ts';

/** Reads the content of files that {@link readUpper} found, forward for the most part. */
export interface UpperReader extends Disposable {
  /** Fills the target with bytes of one file. Throws IO where it is not what it was. */
  read(target: Uint8Array, offset: number): void;
}

const OPEN_DIRECTORY: number = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** What stands there by now may be a fifo: whoever opens one would wait. */
const OPEN_FILE: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export function openUpperReader(path: string, files: readonly UpperFile[]): UpperReader {
  const directories = new OpenDirectories(path);
  let current: { readonly file: UpperFile; readonly handle: number } | undefined;
  const close = (): void => {
    if (current !== undefined) closeSync(current.handle);
    current = undefined;
  };
  const select = (offset: number): { readonly file: UpperFile; readonly handle: number } => {
    const file = fileAt(files, offset);
    if (current?.file === file) return current;
    close();
    current = { file, handle: openFile(directories.open(file.place), file) };
    return current;
  };
  return {
    read: (target, offset) => {
      try {
        const { file, handle } = select(offset);
        for (let done = 0; done < target.length; ) {
          const got = readSync(handle, target, done, target.length - done, offset + done - file.start);
          if (got === 0) throw changed(file);
          done += got;
        }
      } catch (error) {
        throw toStoreError(error, 'cannot read what the pod wrote');
      }
    },
    [Symbol.dispose]: () => {
      close();
      directories[Symbol.dispose]();
    },
  };
}

/** The last that begins there or before. */
function fileAt(files: readonly UpperFile[], offset: number): UpperFile {
  let [low, high] = [0, files.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((files[middle]?.start ?? 0) <= offset) low = middle;
    else high = middle;
  }
  const file = files[low];
  if (file === undefined) throw new RangeError(`no file has byte ${offset}`);
  return file;
}

function openFile(directory: number, file: UpperFile): number {
  const handle = openSync(Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), file.name]), OPEN_FILE);
  const stats = fstatSync(handle, { bigint: true });
  if (stats.isFile() && stats.ino === file.inode && stats.ctimeNs === file.ctimeNs) return handle;
  closeSync(handle);
  throw changed(file);
}

function changed({ name }: UpperFile): StoreError {
  const subject = printable(name.toString('latin1'));
  return new StoreError('ERR_RKT_STORE_IO', `a file changed while it was read: ${subject}`, { subject });
}

/** The way to the last directory asked for, one handle each: a path of the pod's may be longer than the kernel takes. */
class OpenDirectories implements Disposable {
  readonly #root: number;
  readonly #open: { readonly place: UpperPlace; readonly handle: number }[] = [];

  constructor(path: string) {
    this.#root = openSync(path, OPEN_DIRECTORY);
  }

  open(place: UpperPlace | undefined): number {
    const way: UpperPlace[] = [];
    for (let each = place; each !== undefined; each = each.parent) way.unshift(each);
    let known = 0;
    while (known < way.length && this.#open[known]?.place === way[known]) known += 1;
    this.#closeFrom(known);
    for (const each of way.slice(known)) {
      const path = Buffer.concat([Buffer.from(`/proc/self/fd/${this.#last()}/`), each.name]);
      this.#open.push({ place: each, handle: openSync(path, OPEN_DIRECTORY) });
    }
    return this.#last();
  }

  #last(): number {
    return this.#open.at(-1)?.handle ?? this.#root;
  }

  #closeFrom(depth: number): void {
    for (const { handle } of this.#open.splice(depth)) closeSync(handle);
  }

  [Symbol.dispose](): void {
    this.#closeFrom(0);
    closeSync(this.#root);
  }
}
