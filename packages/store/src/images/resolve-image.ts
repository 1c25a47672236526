// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import { isFullImageId } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { printable, StoreError } from '../errors.ts';
import type { Sql } from '../records/database.ts';
import { findImage, imageIdsWithPrefix, imagesNamed, type NamedImage, splitVersion } from '../records/images.ts';
import type { ImageQuery, ImageRecord } from '../store.ts';
import { imageNotFound } from './not-found.ts';

const CANDIDATES_SHOWN = 10;
const SHORTEST_PREFIX = 'sha512-'.length + 2;

/** @throws IMAGE_NOT_FOUND, AMBIGUOUS_PREFIX, PREFIX_TOO_SHORT */
export function resolveImage(context: StoreContext, query: ImageQuery): ImageRecord {
  return context.database.read((sql) => {
    const id = 'prefix' in query ? idByPrefix(sql, query.prefix) : idByName(sql, query);
    const record = id && findImage(sql, id);
    if (record === undefined) throw imageNotFound('prefix' in query ? query.prefix : nameOf(query));
    return record;
  });
}

type NameQuery = Extract<ImageQuery, { name: string }>;

/** With the version that was asked for, as people write it. */
function nameOf({ name, labels }: NameQuery): string {
  const version = labels?.['version'];
  return version === undefined ? name : `${name}:${version}`;
}

function idByPrefix(sql: Sql, input: string): ImageId | undefined {
  const prefix = input.toLowerCase();
  if (!/^sha512-[0-9a-f]*$/.test(prefix)) return undefined;
  if (prefix.length < SHORTEST_PREFIX) {
    throw new StoreError(
      'ERR_RKT_STORE_PREFIX_TOO_SHORT',
      `image ID prefix ${printable(input)}: expected at least two hex digits after sha512-`,
      { subject: input },
    );
  }
  const ids = imageIdsWithPrefix(sql, prefix, CANDIDATES_SHOWN);
  if (ids.length > 1) {
    throw new StoreError('ERR_RKT_STORE_AMBIGUOUS_PREFIX', `several images begin with ${printable(input)}`, {
      subject: input,
      candidates: ids,
    });
  }
  return ids.find(isFullImageId);
}

function idByName(sql: Sql, query: NameQuery): ImageId | undefined {
  const wanted = Object.entries(query.labels ?? {});
  return imagesNamed(sql, query.name).find((image) => wanted.every(([name, value]) => hasLabel(image, name, value)))
    ?.id;
}

/** The version is part of the name an image was put under; its manifest need not have it. */
function hasLabel(image: NamedImage, name: string, value: string): boolean {
  if (name === 'version' && splitVersion(image.name).version === value) return true;
  return image.labels[name] === value;
}
