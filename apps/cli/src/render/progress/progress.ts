// SPDX-License-Identifier: Apache-2.0
import type { ConversionEvent } from '@rkt/docker2aci';
import type { OpenImageEvent } from '@rkt/registry';
import type { DownloadEvent } from '../../downloads/download-event.ts';

/** A layer of an image that is about to come in. */
export interface ComingLayer {
  readonly digest: string;
  readonly diffId: string;
  /** Of the blob, in bytes. */
  readonly size: number;
}

/** Where the layers of an image come from: over the network, or out of a file or directory of this machine. */
export type LayerSource = 'registry' | 'archive';

/** What is told of an image that comes in: while it is opened or downloaded, and while it is converted. */
export type ImageEvent =
  | OpenImageEvent
  | DownloadEvent
  /** The image is open, and these are all its layers. */
  | {
      readonly type: 'image:start';
      readonly reference: string;
      readonly source: LayerSource;
      readonly layers: readonly ComingLayer[];
    }
  | ConversionEvent
  /** The store has the image that was asked for as `image`, whether or not anything had to come. */
  | { readonly type: 'image:stored'; readonly image: string; readonly id: string };

/** Shows how an image comes in. Only on standard error: standard output is the command's result. */
export interface Progress {
  readonly onEvent: (event: ImageEvent) => void;
  /** What was under way is over, and whatever was drawn stays as it is. Idempotent; more may come. */
  readonly end: () => void;
}

/** The digits of a digest. Digests were checked by whoever read them, so they hold nothing else. */
export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}
