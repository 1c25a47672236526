// SPDX-License-Identifier: Apache-2.0

/**
 * The database's history: entry n takes a database of version n to n + 1. Entries are never edited once released.
 * Everything here can be derived again from `cas/` except leases, remotes and times of use.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE layers (
    diff_id TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    -- 1 once verification found the tar wrong: the next fetch writes it anew
    damaged INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE images (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- JSON object: labels of the manifest
    labels TEXT NOT NULL,
    size INTEGER NOT NULL,
    imported_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE image_layers (
    image_id TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
    position INTEGER NOT NULL,
    diff_id TEXT NOT NULL REFERENCES layers ON DELETE RESTRICT,
    PRIMARY KEY (image_id, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX image_layers_by_layer ON image_layers (diff_id);

  -- every name an image was put under; base_name is without the version
  CREATE TABLE names (
    name TEXT NOT NULL,
    base_name TEXT NOT NULL,
    image_id TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
    put_at INTEGER NOT NULL,
    PRIMARY KEY (name, image_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX names_by_base_name ON names (base_name);
  CREATE INDEX names_by_image ON names (image_id);

  CREATE TABLE remotes (
    name TEXT PRIMARY KEY,
    image_id TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
    digest TEXT NOT NULL,
    checked_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX remotes_by_image ON remotes (image_id);

  CREATE TABLE leases (
    id TEXT PRIMARY KEY,
    -- the process, or '' when only the bound paths keep the lease
    owner TEXT NOT NULL,
    -- JSON array of paths
    bound_to TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE lease_images (
    lease_id TEXT NOT NULL REFERENCES leases ON DELETE CASCADE,
    image_id TEXT NOT NULL REFERENCES images ON DELETE RESTRICT,
    PRIMARY KEY (lease_id, image_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX lease_images_by_image ON lease_images (image_id);

  -- layers a fetch in progress relies on, by store object of a process
  CREATE TABLE holds (
    diff_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    owner TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (diff_id, holder)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- JSON array of [first, position]: which layers are ACIs, see cas/images/<image id>/record.json
  ALTER TABLE images ADD COLUMN acis TEXT NOT NULL DEFAULT '[]';
  `,
];
