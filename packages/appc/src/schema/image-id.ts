// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';
import type { ImageId } from './image-manifest.ts';

const PREFIX = 'sha512-';

/** Hex digits shown in each place: what a fetch prints, what a list of images prints, and the key rkt 1.30 stored by. */
const FORM_DIGITS = { fetch: 32, list: 12, key: 64 } as const;

/** A place an image ID is shown in. */
export type ImageIdForm = 'fetch' | 'list' | 'key';

/** Whether `value` is a whole image ID: `sha512-` and 128 lower-case hex digits. */
export function isImageId(value: unknown): value is ImageId {
  return typeof value === 'string' && /^sha512-[0-9a-f]{128}$/.test(value);
}

/** Whether `text` may be the beginning of an image ID, or all of it: `sha512-` and 2 to 128 lower-case hex digits. */
export function isImageIdPrefix(text: string): boolean {
  return /^sha512-[0-9a-f]{2,128}$/.test(text);
}

/** @throws AppcError `ERR_RKT_APPC_IMAGE_ID` for anything but a whole image ID. */
export function parseImageId(text: string): ImageId {
  if (isImageId(text)) return text;
  throw new AppcError('ERR_RKT_APPC_IMAGE_ID', `expected sha512- and 128 hex digits, got ${quoteUntrusted(text)}`);
}

/** The beginning of an image ID as it is shown; not an identity. `form` defaults to what a fetch prints. */
export function shortImageId(id: ImageId, form: ImageIdForm = 'fetch'): string {
  return id.slice(0, PREFIX.length + FORM_DIGITS[form]);
}
