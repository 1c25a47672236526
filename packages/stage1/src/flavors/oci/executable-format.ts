// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { Stage1Error } from '../../error.ts';
import type { Host, Syscalls } from '../../host/index.ts';
import type { OciSpec } from '../../oci-spec/index.ts';
import { quote } from '../../quote.ts';
import type { AppContext } from '../flavor.ts';
import { inRootfs, readImageFile } from './image-files.ts';

/** Enough for an ELF header, and for the first line of a script: BINPRM_BUF_SIZE. */
const headerSize = 256;

/**
 * Why the kernel cannot have executed an app that ended with status 1: by then runtimes have nobody left to tell it to,
 * and end as the app might have. Undefined when it can have, or when there is no telling because the host has formats of
 * its own (binfmt_misc).
 */
export async function formatFailure(host: Host, context: AppContext, spec: OciSpec): Promise<Stage1Error | undefined> {
  if (hasForeignFormats()) return undefined;
  const executable = spec.process.args[0] ?? '';
  return inRootfs(host, context, (syscalls, root) => {
    const found = candidates(executable, spec)
      .map((path) => readImageFile(syscalls, root, { path, limit: headerSize }))
      .find((header) => header !== undefined);
    return found && diagnose(executable, found, (path) => exists(syscalls, root, path));
  });
}

function diagnose(executable: string, header: Buffer, isThere: (path: string) => boolean): Stage1Error | undefined {
  if (header.subarray(0, 2).toString('latin1') === '#!') {
    const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(header.toString('latin1'))?.[1];
    if (interpreter === undefined || isThere(interpreter)) return undefined;
    const message = `interpreter ${quote(interpreter)} of executable ${quote(executable, 400)} does not exist in the image`;
    return new Stage1Error('ERR_RKT_STAGE1_EXEC_NOT_FOUND', message);
  }
  if (isNativeElf(header)) return undefined;
  const message = `executable ${quote(executable, 400)} is not in a format this machine executes`;
  return new Stage1Error('ERR_RKT_STAGE1_EXEC_FORMAT', message);
}

/** ELF's e_machine, for the architectures there are seccomp profiles for; each also runs its 32-bit ancestor. */
const machines: Readonly<Record<string, readonly number[]>> = { x64: [62, 3], arm64: [183, 40] };

function isNativeElf(header: Buffer): boolean {
  if (header.length < 20 || header.subarray(0, 4).toString('latin1') !== '\x7fELF') return false;
  return (machines[process.arch] ?? []).includes(header.readUInt16LE(18));
}

/** As execvpe(3) looks. */
function candidates(executable: string, { process: { env, cwd } }: OciSpec): readonly string[] {
  if (executable.includes('/')) return [posix.resolve(cwd, executable)];
  const path = env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  return path.split(':').map((directory) => posix.resolve(cwd, directory, executable));
}

function exists(syscalls: Syscalls, root: number, path: string): boolean {
  return readImageFile(syscalls, root, { path, limit: 1 }) !== undefined;
}

function hasForeignFormats(): boolean {
  try {
    return readdirSync('/proc/sys/fs/binfmt_misc').some((name) => name !== 'register' && name !== 'status');
  } catch {
    return false;
  }
}
