// SPDX-License-Identifier: Apache-2.0
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from './network-config.ts';
import type { Attachment } from './types.ts';

/**
 * What a pod was about to be attached to, written before the first plugin runs: when the process dies between an ADD and
 * the caller's own note of it, addresses and forwarded ports are still released by the next teardown.
 */
export interface AttachmentRecord {
  write(podId: string, attachments: readonly Attachment[]): Promise<void>;
  /** Empty when there is none; undefined when it is damaged, which must not keep anybody from undoing what can be found. */
  read(podId: string): Promise<readonly Attachment[] | undefined>;
  /** Ids of the pods there is a record of. */
  list(): Promise<readonly string[]>;
  remove(podId: string): Promise<void>;
}

export function openRecord(dir: string): AttachmentRecord {
  const pathOf = (podId: string): string => join(dir, `${podId}.json`);
  return {
    async write(podId, attachments) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const temporary = join(dir, `.${podId}.${process.pid}.tmp`);
      await using file = await open(temporary, 'w', 0o600);
      await file.writeFile(JSON.stringify(attachments));
      await file.datasync();
      await rename(temporary, pathOf(podId));
    },
    async read(podId) {
      const text = await readFile(pathOf(podId), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '[]';
        throw error;
      });
      const value = parsed(text);
      return Array.isArray(value) && value.every(isAttachment) ? value : undefined;
    },
    async list() {
      const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      return names.flatMap((name) => /^([^.].*)\.json$/.exec(name)?.[1] ?? []);
    },
    async remove(podId) {
      await rm(pathOf(podId), { force: true });
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAttachment(value: unknown): value is Attachment {
  return (
    isRecord(value) &&
    typeof value['ifName'] === 'string' &&
    Array.isArray(value['ports']) &&
    isRecord(value['network']) &&
    typeof value['network']['name'] === 'string' &&
    Array.isArray(value['network']['plugins']) &&
    value['network']['plugins'].every((plugin) => isRecord(plugin) && typeof plugin['type'] === 'string')
  );
}
