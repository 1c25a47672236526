// SPDX-License-Identifier: Apache-2.0
import { existsSync, statSync } from 'node:fs';
import type { ImageFileForm } from '@rkt/docker2aci';
import { CliError, codeOf, isCliError, usageError } from '../errors.ts';
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

/**
 * Refuses the name of a file of this directory before a server is asked for an image that is called so: of an archive that is
 * there, or of one that, by its name, could be nothing else.
 * @throws {CliError} ERR_RKT_CLI_USAGE, ERR_RKT_CLI_FILE
 */
export async function refuseFile(session: Session, image: string): Promise<void> {
  if (isFile(image)) return await refuseOtherForm(session, image, 'names');
  if (!ARCHIVE_NAME.test(image)) return;
  throw new CliError('ERR_RKT_CLI_FILE', `there is no file ${quote(image)}`, {
    hint: `an archive is named with its form: docker-archive:${safe(image)}, oci-archive:${safe(image)} or rootfs:${safe(image)}`,
  });
}

/**
 * Refuses a file that is read in another form than its name says, whether or not it is signed.
 * @throws {CliError} ERR_RKT_CLI_USAGE for an archive that is no ACI; where a name is looked for, also for an ACI
 */
export async function refuseOtherForm(session: Session, path: string, as: 'reads' | 'names' = 'reads'): Promise<void> {
  if (!isFile(path)) return;
  const { signal } = session.interrupts;
  const form = await unlessUnreadable(() => session.libraries.imageFileForm(path, { signal }));
  // What is called one and looks like one that is broken is read, and said to be broken.
  const isAci = form === 'aci' || (form === 'rootfs' && path.endsWith('.aci'));
  if (form === undefined || (isAci && as === 'reads')) return;
  const hint = await fileHint(session, { scheme: undefined, path });
  throw usageError(`${quote(path)} is a file, ${FORMS[form]}`, hint);
}

/** No domain of the web ends so. */
const ARCHIVE_NAME = /^[^/:,@]+\.(tar|tgz|txz|tar\.[a-z0-9]+)$/i;
const FORMS: Readonly<Record<ImageFileForm, string>> = {
  aci: 'an ACI',
  oci: 'an OCI layout',
  'oci-archive': 'an archive of OCI images',
  'docker-archive': 'an archive of docker images',
  rootfs: 'an archive of files',
  directory: 'a directory',
};

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // Whoever reads it says why it cannot be.
    return false;
  }
}

function safe(text: string): string {
  return quote(text, { marks: false });
}

function withHint(error: Error, hint: string): CliError {
  return new CliError('ERR_RKT_CLI_USAGE', error.message, { cause: error, hint });
}

const CODES: readonly string[] = ['ERR_RKT_CLI_IMAGE_NOT_IN_STORE', 'ERR_RKT_CLI_DISCOVERY', 'ERR_RKT_CLI_FILE'];

/** It is not what it was taken for, or a directory where a file is read. */
function isAboutForm(error: Error): boolean {
  const code = codeOf(error) ?? '';
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
