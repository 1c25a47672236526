// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import type { ImageFileForm } from '@rkt/docker2aci';
import { CliError, isCliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';

/**
 * What failed, with the way to write the file or directory that was meant, where there is one under that name. The spelling alone
 * says what is read: nothing but the hint depends on it.
 */
export async function withFileHint(session: Session, image: string, error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || session.interrupts.signal.aborted || !isAboutForm(error)) return error;
  const typed = readTyped(image);
  if (!existsSync(typed.path)) return error;
  const hint = await fileHint(session, typed);
  if (hint === undefined) return error;
  return isCliError(error)
    ? new CliError(error.code, error.message, { cause: error.cause, hint })
    : withHint(error, hint);
}

function withHint(error: Error, hint: string): CliError {
  return new CliError('ERR_RKT_CLI_USAGE', error.message, { cause: error, hint });
}

const CODES: readonly string[] = ['ERR_RKT_CLI_IMAGE_NOT_IN_STORE', 'ERR_RKT_CLI_DISCOVERY', 'ERR_RKT_CLI_FILE'];

/** It is not what it was taken for, or a directory where a file is read. */
function isAboutForm(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  return CODES.includes(code) || /^ERR_RKT_(REFPARSE_|DOCKER2ACI_(NOT_A_|ACI_INVALID|ARCHIVE_INVALID|IO))/.test(code);
}

interface Typed {
  /** What it was taken for, if that was said; skopeo has directories of its own, `dir:PATH`. */
  readonly scheme: string | undefined;
  readonly path: string;
}

function readTyped(image: string): Typed {
  const [, scheme, path = image] = /^(dir|oci|oci-archive|docker-archive|rootfs):([^:@]+)/.exec(image) ?? [];
  return { scheme, path };
}

async function fileHint(
  { libraries, interrupts: { signal } }: Session,
  { scheme, path }: Typed,
): Promise<string | undefined> {
  const shown = quote(path, { marks: false });
  const form = await unlessUnreadable(() => libraries.imageFileForm(path, { signal }));
  if (form === scheme) return undefined;
  switch (form) {
    case 'oci':
    case 'oci-archive':
    case 'docker-archive':
      return `write ${form}:${shown}`;
    case 'aci':
      if (path.includes('/')) return scheme === undefined ? undefined : `write ${shown}`;
      return path.endsWith('.aci') ? undefined : `write ./${shown}`;
    case 'rootfs':
      return `for an image of the files in it write rootfs:${shown}`;
    case 'directory':
      return existsSync(`${path}/version`) && existsSync(`${path}/manifest.json`)
        ? `make a layout of it first: skopeo copy dir:${shown} oci:LAYOUT`
        : `for an image of the files in it: tar -C ${shown} -c . | rkt --insecure-options=image fetch rootfs:-:NAME:TAG`;
    case undefined:
      return undefined;
  }
}

/** It is not what failed. */
async function unlessUnreadable(find: () => Promise<ImageFileForm | undefined>): Promise<ImageFileForm | undefined> {
  try {
    return await find();
  } catch {
    return undefined;
  }
}
