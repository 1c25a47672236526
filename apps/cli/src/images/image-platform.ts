// SPDX-License-Identifier: Apache-2.0
import { fromAppcPlatform, isAppcError } from '@rkt/appc';
import type { Platform } from '@rkt/registry';
import type { ImageRecord } from '@rkt/store';

/** What an image is for; undefined for one that does not say it: it is for all. @throws {AppcError} ERR_RKT_APPC_PLATFORM */
export function platformOf({ platform: labels }: ImageRecord): Platform | undefined {
  if (labels === undefined) return undefined;
  const { variant, ...platform } = fromAppcPlatform(labels);
  return { ...platform, ...(variant === undefined ? {} : { variant }) };
}

/** The same as it is typed after `--platform=`; what no image but an ACI is for stands as its labels have it. */
export function platformText(image: ImageRecord): string | undefined {
  try {
    const platform = platformOf(image);
    if (platform === undefined) return undefined;
    const { os, architecture, variant } = platform;
    return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
  } catch (error) {
    if (!isAppcError(error)) throw error;
    return `${image.platform?.os}/${image.platform?.arch}`;
  }
}
