// SPDX-License-Identifier: Apache-2.0
import type { ConversionEvent } from '@rkt/docker2aci';
import type { OpenImageEvent } from '@rkt/registry';
import type { DownloadEvent } from '../../downloads/download-event.ts';

/** What is told of an image that comes in: while it is opened or downloaded, and while it is converted. */
export type ImageEvent = OpenImageEvent | ConversionEvent | DownloadEvent;

/** Shows how an image comes in. Only on standard error: standard output is the command's result. */
export interface Progress {
  readonly onEvent: (event: ImageEvent) => void;
  /** What was under way is over; whatever was drawn stays as it is. Idempotent. */
  readonly end: () => void;
}

/** The digits of a digest. Digests were checked by whoever read them, so they hold nothing else. */
export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}
