// SPDX-License-Identifier: Apache-2.0
import fs from 'node:fs';
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** An operation on the store's files that is about to happen. */
export interface FileOperation {
  /** As the system calls are called: `open` for one that makes a file, `write`, ...; `mkdir-again` for what is there. */
  readonly name: string;
  /** Absolute; of a rename the old name. */
  readonly path: string;
}

/** Called before an operation; what it throws, the operation fails with. */
export type BeforeOperation = (operation: FileOperation) => void;

type Method = (this: unknown, ...args: never[]) => unknown;
type Methods = Record<string, Method>;

/** Functions of `node:fs` and `node:fs/promises` that change the disk, or read content, by the system call they stand for. */
const BY_PATH: Readonly<Record<string, string>> = {
  chmod: 'chmod',
  mkdir: 'mkdir',
  rename: 'rename',
  rm: 'unlink',
  rmdir: 'rmdir',
  unlink: 'unlink',
  writeFile: 'write',
  readFile: 'read',
  readdir: 'readdir',
};
const BY_HANDLE: Readonly<Record<string, string>> = {
  write: 'write',
  writev: 'write',
  sync: 'fsync',
  datasync: 'fsync',
  read: 'read',
};

/**
 * Has `before` called for every operation of Node's on files below a directory, whoever asks for it: no cooperation of
 * the code under test is needed, and none of it can be forgotten. Not seen are SQLite and system calls through koffi.
 *
 * @returns what undoes it
 */
export async function interceptFiles(directory: string, before: BeforeOperation): Promise<() => void> {
  const undo: (() => void)[] = [];
  const paths = new WeakMap<object, string>();
  const tell = (name: string, path: unknown): void => {
    const text = path instanceof Uint8Array ? Buffer.from(path).toString() : String(path);
    if (!text.startsWith(directory)) return;
    before({ name: name === 'mkdir' && fs.existsSync(text) ? 'mkdir-again' : name, path: text });
  };
  const replace = (owner: object, key: string, make: (original: Method) => Method): void => {
    const methods = owner as Methods;
    const original = methods[key];
    if (original === undefined) throw new TypeError(`node:fs has no ${key}`);
    methods[key] = make(original);
    undo.push(() => {
      methods[key] = original;
    });
  };
  for (const [key, name] of Object.entries(BY_PATH)) {
    replace(fs.promises, key, (original) => async (...args) => {
      tell(name, args[0]);
      return await Reflect.apply(original, fs.promises, args);
    });
    replace(fs, `${key}Sync`, (original) => (...args) => {
      tell(name, args[0]);
      return Reflect.apply(original, fs, args);
    });
  }
  replace(fs, 'openSync', (original) => (...args) => {
    if (makesFile(args[1])) tell('open', args[0]);
    return Reflect.apply(original, fs, args);
  });
  replace(fs.promises, 'open', (original) => async (...args) => {
    if (makesFile(args[1])) tell('open', args[0]);
    const handle = await (Reflect.apply(original, fs.promises, args) as Promise<FileHandle>);
    paths.set(handle, String(args[0]));
    return handle;
  });
  const prototype = await fileHandlePrototype();
  for (const [key, name] of Object.entries(BY_HANDLE)) {
    replace(
      prototype,
      key,
      (original) =>
        async function (this: unknown, ...args: never[]) {
          tell(name, typeof this === 'object' && this !== null ? paths.get(this) : undefined);
          return await Reflect.apply(original, this, args);
        },
    );
  }
  syncBuiltinESMExports();
  return () => {
    for (const each of undo) each();
    syncBuiltinESMExports();
  };
}

function makesFile(flags: unknown): boolean {
  return typeof flags === 'string'
    ? /[wa]/.test(flags)
    : typeof flags === 'number' && (flags & fs.constants.O_CREAT) !== 0;
}

async function fileHandlePrototype(): Promise<object> {
  await using handle = await openFile('/dev/null', 'r');
  return Object.getPrototypeOf(handle);
}
