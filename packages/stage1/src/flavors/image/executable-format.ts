// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { Stage1Error } from '../../error.ts';
import type { Syscalls } from '../../host/index.ts';
import { resolveInRoot } from '../../mounts/index.ts';
import { quote } from '../../quote.ts';
import { readImageFile } from './image-files.ts';

/** Enough for an ELF header and the program headers behind it, and for the first line of a script. Bytes. */
const headerSize = 4096;
/** BINPRM_BUF_SIZE: as much of a script as the kernel looks at. */
const scriptSize = 256;

export interface ExecutableFile {
  /** As the app states it, for messages. */
  readonly executable: string;
  /** Where it is in the root filesystem, without links. */
  readonly path: string;
  readonly covered: readonly string[];
}

/**
 * Why the kernel cannot execute a file that it may execute. Undefined when it can, or when there is no telling because the
 * host has formats of its own (binfmt_misc).
 */
export function formatFailure(syscalls: Syscalls, root: number, file: ExecutableFile): Stage1Error | undefined {
  const header = readImageFile(syscalls, root, { path: file.path, limit: headerSize });
  if (header === undefined || hasForeignFormats()) return undefined;
  const isScript = header.subarray(0, 2).toString('latin1') === '#!';
  if (!isScript && !isNativeElf(header)) {
    const message = `executable ${quote(file.executable, 400)} is not in a format this machine executes`;
    return new Stage1Error('ERR_RKT_STAGE1_EXEC_FORMAT', message);
  }
  const interpreter = isScript ? scriptInterpreter(header) : elfInterpreter(header);
  if (interpreter === undefined || exists(syscalls, root, interpreter, file.covered)) return undefined;
  const message = `interpreter ${quote(interpreter)} of executable ${quote(file.executable, 400)} does not exist in the image`;
  return new Stage1Error('ERR_RKT_STAGE1_EXEC_NOT_FOUND', message);
}

function scriptInterpreter(header: Buffer): string | undefined {
  return /^#![ \t]*([^ \t\n]+)/.exec(header.subarray(0, scriptSize).toString('latin1'))?.[1];
}

/** ELF's e_machine, for the architectures there are seccomp profiles for; each also runs its 32-bit ancestor. */
const machines: Readonly<Record<string, readonly number[]>> = { x64: [62, 3], arm64: [183, 40] };

function isNativeElf(header: Buffer): boolean {
  if (header.length < 20 || header.subarray(0, 4).toString('latin1') !== '\x7fELF') return false;
  return (machines[process.arch] ?? []).includes(header.readUInt16LE(18));
}

const ELFCLASS64 = 2;
const PT_INTERP = 3;
/** Sizes of the headers of a 64-bit ELF file. */
const fileHeaderSize = 64;
const programHeaderSize = 56;

/** The dynamic linker of a 64-bit executable; undefined when it needs none, or its headers are somewhere unusual. */
function elfInterpreter(header: Buffer): string | undefined {
  if (header.length < fileHeaderSize || header[4] !== ELFCLASS64) return undefined;
  const start = Number(header.readBigUInt64LE(32));
  const count = header.readUInt16LE(56);
  for (let index = 0; index < count; index += 1) {
    const at = start + index * programHeaderSize;
    if (at + programHeaderSize > header.length) return undefined;
    if (header.readUInt32LE(at) !== PT_INTERP) continue;
    const offset = Number(header.readBigUInt64LE(at + 8));
    const end = header.indexOf(0, offset);
    return offset < header.length && end > offset ? header.toString('latin1', offset, end) : undefined;
  }
  return undefined;
}

/** A relative interpreter is taken from the working directory; nobody has one, so it counts as found. */
function exists(syscalls: Syscalls, root: number, path: string, covered: readonly string[]): boolean {
  if (!path.startsWith('/')) return true;
  const resolved = resolveInRoot(syscalls, root, path);
  if (covered.some((mount) => resolved === mount || resolved.startsWith(`${mount}/`))) return true;
  return readImageFile(syscalls, root, { path: resolved, limit: 1 }) !== undefined;
}

function hasForeignFormats(): boolean {
  try {
    return readdirSync('/proc/sys/fs/binfmt_misc').some((name) => name !== 'register' && name !== 'status');
  } catch {
    return false;
  }
}
