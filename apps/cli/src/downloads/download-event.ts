// SPDX-License-Identifier: Apache-2.0

/** How a file comes in. Sizes in bytes. */
export type DownloadEvent =
  | {
      readonly type: 'download:start';
      readonly what: 'ACI' | 'signature';
      readonly url: string;
      /** Undefined where the server does not say. */
      readonly size: number | undefined;
    }
  | { readonly type: 'download:bytes'; readonly url: string; readonly received: number }
  | { readonly type: 'download:done'; readonly url: string };
