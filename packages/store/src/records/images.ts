// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import { isFullImageId } from '../cas/layout.ts';
import { StoreError } from '../errors.ts';
import { decodeAciLayers, encodeAciLayers } from '../images/aci-layers.ts';
import type { AciLayer, ImagePlatform, ImageRecord } from '../store.ts';
import type { Row, Sql } from './database.ts';
import { integerOf, textOf, textsOf } from './row.ts';

/** What goes into the database of an image. Times in milliseconds since the epoch. */
export interface ImageRow {
  readonly id: ImageId;
  /** Every name it is put under, the last one being its name. */
  readonly names: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly size: number;
  readonly layers: readonly string[];
  readonly acis: readonly AciLayer[];
  readonly at: number;
}

const SELECT_IMAGE = `
  SELECT id, name, size, imported_at, last_used_at, acis, labels,
    (SELECT json_group_array(diff_id ORDER BY position) FROM image_layers WHERE image_id = id) AS layers,
    (SELECT json_group_array(own.name ORDER BY own.put_at, own.name) FROM names AS own
     WHERE own.image_id = images.id AND NOT EXISTS (
       -- the order in which imagesNamed has them
       SELECT 1 FROM names AS later JOIN images AS other ON other.id = later.image_id
       WHERE later.name = own.name
         AND (later.put_at, other.imported_at, images.id) > (own.put_at, images.imported_at, other.id)
         -- a name is that of one image of each platform
         AND json_extract(other.labels, '$.os', '$.arch') = json_extract(images.labels, '$.os', '$.arch')
     )) AS names
  FROM images`;

export function findImage(sql: Sql, id: ImageId): ImageRecord | undefined {
  const row = sql.get(`${SELECT_IMAGE} WHERE id = ?`, id);
  return row && imageOf(row);
}

/** All images, by time of import. */
export function allImages(sql: Sql): readonly ImageRecord[] {
  return sql.all(`${SELECT_IMAGE} ORDER BY imported_at, id`).map(imageOf);
}

/** IDs that begin with `prefix`, in order, at most `limit`. */
export function imageIdsWithPrefix(sql: Sql, prefix: string, limit: number): readonly string[] {
  // `g` sorts right after every hex digit.
  return sql
    .all('SELECT id FROM images WHERE id >= ? AND id < ? ORDER BY id LIMIT ?', prefix, `${prefix}g`, limit)
    .map((row) => textOf(row, 'id'));
}

export interface NamedImage {
  readonly id: ImageId;
  /** The name it was put under, with version. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Images put under a name, with or without version; the latest put first. */
export function imagesNamed(sql: Sql, name: string): readonly NamedImage[] {
  return sql
    .all(
      `SELECT images.id, names.name, images.labels FROM names JOIN images ON images.id = names.image_id
       WHERE names.base_name = ?1 OR names.name = ?1 ORDER BY names.put_at DESC, images.imported_at DESC, images.id`,
      name,
    )
    .map((row) => ({ id: idOf(row), name: textOf(row, 'name'), labels: labelsOf(row) }));
}

/** Records an image, or further names of one. An image that is there keeps its layers and its time of import. */
export function upsertImage(sql: Sql, image: ImageRow): void {
  const { id, names, at } = image;
  const name = names.at(-1) ?? '';
  const isNew =
    sql.run(
      `INSERT INTO images (id, name, labels, size, imported_at, last_used_at, acis) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)
       ON CONFLICT (id) DO NOTHING`,
      id,
      name,
      JSON.stringify(image.labels),
      image.size,
      at,
      JSON.stringify(encodeAciLayers(image.acis)),
    ) > 0;
  if (isNew) insertImageLayers(sql, image);
  else sql.run('UPDATE images SET name = ?, last_used_at = ? WHERE id = ?', name, at, id);
  for (const each of names) {
    sql.run(
      `INSERT INTO names (name, base_name, image_id, put_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (name, image_id) DO UPDATE SET put_at = excluded.put_at`,
      each,
      splitVersion(each).base,
      id,
      at,
    );
  }
}

export function touch(sql: Sql, id: ImageId, at: number): boolean {
  return sql.run('UPDATE images SET last_used_at = max(last_used_at, ?) WHERE id = ?', at, id) > 0;
}

/** Deletes an image with its names and remotes. The caller has made sure that no lease retains it. */
export function deleteImage(sql: Sql, id: ImageId): boolean {
  return sql.run('DELETE FROM images WHERE id = ?', id) > 0;
}

/** Images not used since, and not retained by any lease that is recorded. */
export function expiredImages(sql: Sql, usedBefore: number): readonly ImageId[] {
  return sql
    .all(
      `SELECT id FROM images WHERE last_used_at <= ?
       AND NOT EXISTS (SELECT 1 FROM lease_images WHERE image_id = id) ORDER BY last_used_at, id`,
      usedBefore,
    )
    .map(idOf);
}

/** `host:5000/app:1` is `host:5000/app` in version `1`: a colon before the last slash is a port, one after `@` a digest's. */
export function splitVersion(name: string): { readonly base: string; readonly version: string | undefined } {
  const at = name.indexOf('@');
  if (at >= 0) return { base: name.slice(0, at), version: undefined };
  const colon = name.lastIndexOf(':');
  if (colon <= name.lastIndexOf('/')) return { base: name, version: undefined };
  return { base: name.slice(0, colon), version: name.slice(colon + 1) };
}

function insertImageLayers(sql: Sql, image: ImageRow): void {
  for (const [position, diffId] of image.layers.entries()) {
    sql.run('INSERT INTO image_layers (image_id, position, diff_id) VALUES (?, ?, ?)', image.id, position, diffId);
  }
}

function imageOf(row: Row): ImageRecord {
  const layers = textsOf(row, 'layers');
  return {
    id: idOf(row),
    name: textOf(row, 'name'),
    names: textsOf(row, 'names'),
    platform: platformOf(labelsOf(row)),
    importedAt: integerOf(row, 'imported_at'),
    lastUsedAt: integerOf(row, 'last_used_at'),
    size: integerOf(row, 'size'),
    layers,
    acis: acisOf(row, layers.length),
  };
}

function acisOf(row: Row, layerCount: number): readonly AciLayer[] {
  const acis = decodeAciLayers(JSON.parse(textOf(row, 'acis')), layerCount);
  if (acis !== undefined) return acis;
  throw new StoreError('ERR_RKT_STORE_CORRUPT', 'the database holds an image with impossible layers');
}

function idOf(row: Row): ImageId {
  const id = textOf(row, 'id');
  if (isFullImageId(id)) return id;
  throw new StoreError('ERR_RKT_STORE_CORRUPT', `the database holds an image with the ID ${id.slice(0, 20)}`);
}

function platformOf({ os, arch }: Readonly<Record<string, string>>): ImagePlatform | undefined {
  return os === undefined || arch === undefined ? undefined : { os, arch };
}

function labelsOf(row: Row): Readonly<Record<string, string>> {
  const value: unknown = JSON.parse(textOf(row, 'labels'));
  const labels: Record<string, string> = Object.create(null);
  if (typeof value !== 'object' || value === null) return labels;
  for (const [name, label] of Object.entries(value)) if (typeof label === 'string') labels[name] = label;
  return labels;
}
