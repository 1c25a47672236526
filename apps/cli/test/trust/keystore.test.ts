// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isPrefix, type Keystore, openKeystore } from '../../src/trust/keystore.ts';
import { type PublicKey, readPublicKeys } from '../../src/trust/public-keys.ts';
import { createSigner } from '../support/openpgp.ts';

let keys: readonly PublicKey[];
let dir: string;
let keystore: Keystore;

beforeAll(async () => {
  const signers = await Promise.all(Array.from({ length: 4 }, () => createSigner()));
  const files = signers.map(({ armoredKey }) => readPublicKeys(Buffer.from(armoredKey), 'key'));
  keys = (await Promise.all(files)).flat();
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-keys-'));
  keystore = openKeystore({ system: join(dir, 'usr'), local: join(dir, 'etc') });
});
afterEach(() => rmSync(dir, { recursive: true }));

function key(index: number): PublicKey {
  const found = keys[index];
  if (found === undefined) throw new TypeError(`there is no key ${index}`);
  return found;
}

function write(path: string, text: string): string {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

async function trusted(name: string): Promise<readonly number[]> {
  const found = await keystore.keysFor(name);
  return found.map(({ fingerprint }) => keys.findIndex((each) => each.fingerprint === fingerprint)).sort();
}

describe('the keystore', () => {
  it('has the directories of the original, readable for everybody', async () => {
    const old = process.umask(0o077);
    try {
      const path = join(dir, 'etc/trustedkeys/prefix.d/example.com/app', key(0).fingerprint);
      expect(await keystore.add(key(0), 'example.com/app')).toBe(path);
      expect(readFileSync(path, 'utf8')).toBe(key(0).armored);
      expect(statSync(path).mode & 0o777).toBe(0o644);
      expect(await keystore.add(key(1), undefined)).toBe(join(dir, 'etc/trustedkeys/root.d', key(1).fingerprint));
      for (const each of ['etc', 'etc/trustedkeys/prefix.d', 'etc/trustedkeys/prefix.d/example.com/app']) {
        expect(statSync(join(dir, each)).mode & 0o777).toBe(0o755);
      }
      await keystore.add(key(1), undefined);
      expect(readdirSync(join(dir, 'etc/trustedkeys/root.d'))).toEqual([key(1).fingerprint]);
    } finally {
      process.umask(old);
    }
  });

  it('trusts a key for its prefix and what follows a slash, a root key for everything', async () => {
    await keystore.add(key(0), 'example.com');
    await keystore.add(key(1), 'example.com/app');
    await keystore.add(key(2), undefined);
    write(`usr/trustedkeys/prefix.d/example.com/app/${key(3).fingerprint}`, key(3).armored);
    expect(await trusted('example.com/app')).toEqual([0, 1, 2, 3]);
    expect(await trusted('example.com/app/part')).toEqual([0, 1, 2, 3]);
    expect(await trusted('example.com/application')).toEqual([0, 2]);
    expect(await trusted('example.com')).toEqual([0, 2]);
    expect(await trusted('example.comb/app')).toEqual([2]);
    expect(keystore.hasKeysFor('example.com/other')).toBe(true);
    expect(keystore.hasKeysFor('other.com')).toBe(false);
  });

  it('takes trust away with an empty file', async () => {
    write(`usr/trustedkeys/prefix.d/example.com/${key(0).fingerprint}`, key(0).armored);
    write(`usr/trustedkeys/root.d/${key(1).fingerprint}`, key(1).armored);
    expect(await trusted('example.com/app')).toEqual([0, 1]);
    write(`etc/trustedkeys/prefix.d/example.com/app/${key(0).fingerprint}`, '');
    write(`etc/trustedkeys/root.d/${key(1).fingerprint}`, '');
    expect(await trusted('example.com/app')).toEqual([]);
    expect(await trusted('example.com/other')).toEqual([0]);
    write(`etc/trustedkeys/prefix.d/example.com/${key(0).fingerprint}`, '');
    expect(keystore.hasKeysFor('example.com/other')).toBe(true);
    expect(await trusted('example.com/other')).toEqual([]);
  });

  it('trusts nobody where nothing is', async () => {
    expect(await trusted('example.com')).toEqual([]);
    expect(await openKeystore({ system: '', local: '' }).keysFor('x')).toEqual([]);
    await expect(openKeystore({ system: dir, local: '' }).add(key(0), undefined)).rejects.toMatchObject({
      code: 'ERR_RKT_CLI_USAGE',
    });
  });

  it.each(['example.com/../other', '../x', 'a//b', 'a/./b', '/a', 'a/', 'Example.com', ''])(
    'is not led astray by %j',
    async (name) => {
      await keystore.add(key(0), 'other');
      await keystore.add(key(0), 'example.com');
      expect(await trusted(name)).toEqual([]);
      expect(isPrefix(name)).toBe(false);
    },
  );

  it('knows no key for what no directory can be called, and soon says so', async () => {
    await keystore.add(key(0), 'example.com');
    await keystore.add(key(1), undefined);
    expect(await trusted(`example.com/${'a'.repeat(300)}`)).toEqual([0, 1]);
    expect(await trusted(`example.com${'/a'.repeat(1_000_000)}`)).toEqual([0, 1]);
    expect(isPrefix(`example.com${'/a'.repeat(1000)}`)).toBe(false);
  });

  it.each([
    ['another key', () => key(1).armored, /its name is to be the fingerprint of its key/],
    ['no key', () => 'x', /no file of OpenPGP public keys/],
  ])('refuses a file with %s', async (_what, text, message) => {
    write(`etc/trustedkeys/root.d/${key(0).fingerprint}`, text());
    await expect(keystore.keysFor('x')).rejects.toMatchObject({
      code: 'ERR_RKT_CLI_KEY_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('refuses an empty file that takes the trust away from nobody, and looks at no unfinished one', async () => {
    write('etc/trustedkeys/root.d/x.tmp', 'half');
    expect(await trusted('x')).toEqual([]);
    write(`etc/trustedkeys/root.d/${key(0).fingerprint.toUpperCase()}`, '');
    await expect(keystore.keysFor('x')).rejects.toMatchObject({ code: 'ERR_RKT_CLI_KEY_INVALID' });
  });
});
