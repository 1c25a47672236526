// SPDX-License-Identifier: Apache-2.0
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from './network-config.ts';
import type { Attachment } from './types.ts';

/**
 * What a pod was about to be attached to, written before the first plugin runs: when the process dies between an ADD and
 * the caller's own note of it, addresses and forwarded ports are still released by the next teardown.
 */
export interface AttachmentRecord {
  write(podId: string, attachments: readonly Attachment[]): Promise<void>;
  /** Empty when there is none. */
  read(podId: string): Promise<readonly Attachment[]>;
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
      const value: unknown = JSON.parse(text);
      return Array.isArray(value) ? value.filter(isAttachment) : [];
    },
    async remove(podId) {
      await rm(pathOf(podId), { force: true });
    },
  };
}

function isAttachment(value: unknown): value is Attachment {
  return (
    isRecord(value) &&
    typeof value['ifName'] === 'string' &&
    Array.isArray(value['ports']) &&
    isRecord(value['network']) &&
    Array.isArray(value['network']['plugins'])
  );
}
