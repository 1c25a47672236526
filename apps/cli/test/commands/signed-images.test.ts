// SPDX-License-Identifier: Apache-2.0
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aciOf, idOf, labelsOf } from '../support/aci.ts';
import { fakeIo } from '../support/fake-io.ts';
import { type FakeWeb, fakeWeb } from '../support/fake-web.ts';
import { createSigner, type Signer } from '../support/openpgp.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';

const NAME = 'example.com/app';
const KEY_URL = 'https://example.com/keys.asc';
const own = { os: 'linux', arch: 'amd64' };
const aci = aciOf({ name: NAME, labels: labelsOf({ version: '1.2', ...own }) });
const packed = gzipSync(aci);
const ACI_URL = 'https://files.example.com/linux/amd64/example.com/app-1.2.aci';
const PAGE = `<meta name="ac-discovery" content="example.com https://files.example.com/{os}/{arch}/{name}-{version}.{ext}">
<meta name="ac-discovery-pubkeys" content="example.com ${KEY_URL}">`;

let publisher: Signer;
let stranger: Signer;
let dir: string;
let web: FakeWeb;
let rkt: Rkt;
let file: string;

beforeAll(async () => {
  publisher = await createSigner();
  stranger = await createSigner({ name: 'Stranger' });
});
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-signed-'));
  mkdirSync(join(dir, 'etc'));
  web = fakeWeb();
  rkt = rktWith(dir, web.libraries);
  file = join(dir, 'app.aci');
  writeFileSync(file, packed);
  writeFileSync(join(dir, 'key.asc'), publisher.armoredKey);
});
afterEach(() => rmSync(dir, { recursive: true }));

async function serveAll(): Promise<void> {
  web.serve('https://example.com/app?ac-discovery=1', { status: 404 });
  web.serve('https://example.com/?ac-discovery=1', { body: PAGE });
  web.serve(KEY_URL, { body: publisher.armoredKey });
  web.serveFile(ACI_URL, packed);
  web.serve(`${ACI_URL}.asc`, { body: await publisher.sign(packed) });
}

function trust(prefix = NAME): ReturnType<Rkt> {
  return rkt('trust', `--prefix=${prefix}`, '--skip-fingerprint-review', join(dir, 'key.asc'));
}

const verified = 'rkt: signature verified:\n  Publisher <publisher@example.com>\n';

describe('an ACI file', () => {
  it('is verified by the signature beside it, of the bytes it has', async () => {
    await trust();
    writeFileSync(`${file}.asc`, await publisher.sign(packed));
    expect(await rkt('fetch', '--full', file)).toEqual({
      status: 0,
      stdout: `${idOf(aci)}\n`,
      stderr: `rkt: importing image from ${file}\n${verified}rkt: imported image as ${NAME}:1.2\n`,
    });
  });

  it('is verified by the signature that is named, also from standard input', async () => {
    await trust('example.com');
    const signature = join(dir, 'other');
    writeFileSync(signature, await publisher.sign(packed));
    expect(await rkt('fetch', '--full', file, `--signature=${signature}`)).toMatchObject({ status: 0 });
    const io = fakeIo({ stdin: [packed.subarray(0, 100), packed.subarray(100)] });
    expect(await rkt.within(io, 'fetch', '--full', '-', `--signature=${signature}`)).toMatchObject({
      status: 0,
      stdout: `${idOf(aci)}\n`,
    });
    const { status, stderr } = await rkt('fetch', 'docker://redis', `--signature=${signature}`);
    expect([status, stderr]).toEqual([254, expect.stringContaining('--signature is for ACIs')]);
  });

  it('is not kept from standard input when it is larger than an ACI may be', async () => {
    await trust('example.com');
    const signature = join(dir, 'other');
    writeFileSync(signature, await publisher.sign(packed));
    const endless = Object.defineProperty(new Uint8Array(1), 'length', { value: 32 * 1024 ** 3 });
    const io = fakeIo({ stdin: [new Uint8Array(1), endless] });
    const { status, stderr } = await rkt.within(io, 'fetch', '-', `--signature=${signature}`);
    expect([status, stderr]).toEqual([
      254,
      expect.stringContaining('cannot read standard input: it is larger than 34359738368 bytes'),
    ]);
    expect(readdirSync(join(dir, 'data/cas/tmp'))).toEqual([]);
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    [
      'of other bytes',
      () => publisher.sign(aci),
      /signature ".*app\.aci\.asc" of image "example\.com\/app" is not to be.*\nhint: it is not what was signed: get/,
    ],
    [
      'of somebody else',
      () => stranger.sign(packed),
      /image "example\.com\/app" is signed by nobody who is trusted: key/,
    ],
    ['that is none', async () => 'x', /no detached OpenPGP signature/],
  ])('with a signature %s is not taken', async (_what, sign, message) => {
    await trust();
    writeFileSync(`${file}.asc`, await sign());
    const { status, stdout, stderr } = await rkt('fetch', file);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toMatch(message);
    expect((await rkt('image', 'list', '--no-legend')).stdout).toBe('');
    expect(globSync(join(dir, 'data/cas/tmp/*'))).toEqual([]);
  });

  it('is not taken by a key that is trusted for other images', async () => {
    await trust('example.com/application');
    writeFileSync(`${file}.asc`, await publisher.sign(packed));
    const { status, stderr } = await rkt('fetch', file);
    expect([status, stderr]).toEqual([
      254,
      expect.stringContaining(
        "hint: if you know the key that it should be signed by, run 'rkt trust --prefix=example.com/app",
      ),
    ]);
  });

  it('has to have a signature, unless that is switched off', async () => {
    expect(await rkt('fetch', file)).toEqual({
      status: 254,
      stdout: '',
      stderr:
        `fetch: no signature to verify the image by: cannot read "${file}.asc": no such file or directory\n` +
        'hint: name one with --signature=FILE or, if you trust the image, add --insecure-options=image\n',
    });
    const missing = await rkt('fetch', join(dir, 'nosuch.aci'));
    expect(missing.stderr).toContain('hint: there is no file');
    expect(await rkt.within(fakeIo({ stdin: [packed] }), 'fetch', '-')).toMatchObject({ status: 254 });
    expect(await rkt('--insecure-options=image', 'fetch', file)).toMatchObject({ status: 0 });
  });
});

describe('trust', () => {
  it('shows a key, asks, and keeps it', async () => {
    const io = fakeIo({ tty: true, input: ['yes please\n', 'ye', 's\n'] });
    const key = join(dir, 'key.asc');
    const { status, stdout, stderr } = await rkt.within(io, 'trust', `--prefix=${NAME}`, key);
    const fours = publisher.fingerprint.toUpperCase().match(/.{4}/g) ?? [];
    const path = join(dir, 'etc/trustedkeys/prefix.d', NAME, publisher.fingerprint);
    expect([status, stderr]).toEqual([0, `trust: prefix: "${NAME}"\ntrust: key: "${key}"\n`]);
    expect(stdout.split('\n')).toEqual([
      `gpg key fingerprint is: ${fours.slice(0, 5).join(' ')}  ${fours.slice(5).join(' ')}`,
      expect.stringMatching(/^ {4}Subkey fingerprint: ([0-9A-F]{4} ){5}( [0-9A-F]{4}){5}$/),
      '\tPublisher <publisher@example.com>',
      'Are you sure you want to trust this key (yes/no)?',
      "Please enter 'yes' or 'no'",
      'Are you sure you want to trust this key (yes/no)?',
      `Trusting "${key}" for prefix "${NAME}" after fingerprint review.`,
      `Added key for prefix "${NAME}" at "${path}"`,
      '',
    ]);
    expect(readdirSync(join(path, '..'))).toEqual([publisher.fingerprint]);
  });

  it('asks where it is seen, also when standard output is a file', async () => {
    const io = fakeIo({ tty: true, stdoutToFile: true, input: ['yes\n'] });
    const { status, stdout, stderr } = await rkt.within(io, 'trust', '--root', join(dir, 'key.asc'));
    expect(status).toBe(0);
    expect(stderr).toMatch(/gpg key fingerprint is: [\s\S]*<publisher@example\.com>\nAre you sure you want to trust/);
    expect(stdout).toMatch(
      /^Trusting ".*key\.asc" for prefix "" after fingerprint review\.\nAdded root key at ".*"\n$/,
    );
  });

  it('keeps nothing that nobody says yes to', async () => {
    const key = join(dir, 'key.asc');
    const no = await rkt.within(fakeIo({ tty: true, input: ['no\n'] }), 'trust', '--root', key);
    expect([no.status, no.stderr]).toEqual([0, expect.stringContaining(`trust: not trusting "${key}"`)]);
    const nobody = await rkt('trust', '--root', key);
    expect([nobody.status, nobody.stderr]).toEqual([254, expect.stringContaining('due to lack of tty')]);
    writeFileSync(`${file}.asc`, await publisher.sign(packed));
    expect(await rkt('fetch', file)).toMatchObject({ status: 254 });
  });

  it('discovers keys, and takes them from URLs', async () => {
    await serveAll();
    const found = await rkt('trust', `--prefix=${NAME}`, '--skip-fingerprint-review');
    expect([found.status, found.stdout]).toEqual([
      0,
      expect.stringContaining(`Trusting "${KEY_URL}" for prefix "${NAME}" without fingerprint review.`),
    ]);
    const https = await rkt('--trust-keys-from-https', 'trust', '--root', KEY_URL);
    expect([https.status, https.stdout]).toEqual([0, expect.stringContaining('Added root key at ')]);
    expect(await rkt('--trust-keys-from-https', '--insecure-options=tls', 'trust', '--root', KEY_URL)).toMatchObject({
      status: 254,
    });
    web.serve('http://example.com/keys.asc', { body: publisher.armoredKey });
    const url = 'http://example.com/keys.asc';
    const plain = await rkt('trust', '--root', '--skip-fingerprint-review', url);
    expect([plain.status, plain.stderr]).toEqual([
      254,
      `trust: cannot fetch "${url}": it is plain HTTP\nhint: if you trust the network, add --insecure-allow-http\n`,
    ]);
    const allowed = ['--skip-fingerprint-review', '--insecure-allow-http', url];
    expect(await rkt('trust', '--root', ...allowed)).toMatchObject({ status: 0 });
  });

  it.each([
    'DIR/key.asc',
    'file://DIR/key.asc',
    '/proc/self/environ',
    'http://127.0.0.1/keys.asc',
    'https://[::1]/keys.asc',
  ])('looks for no key where a page has no business: %s', async (location) => {
    const there = location.replace('DIR', dir);
    web.serve('https://example.com/?ac-discovery=1', {
      body: `<meta name="ac-discovery-pubkeys" content="example.com ${there}">`,
    });
    if (location.startsWith('http')) web.serve(there, { body: publisher.armoredKey });
    const { status, stdout, stderr } = await rkt('trust', '--prefix=example.com', '--skip-fingerprint-review');
    expect([status, stdout, stderr]).toEqual([
      254,
      '',
      'trust: discovery failed for "example.com": https://example.com says nothing of it\n',
    ]);
    expect(web.urls()).toEqual(['https://example.com/?ac-discovery=1']);
  });

  it('asks about a key that a page over plain HTTP has named, wherever it is', async () => {
    web.serve('http://example.com/?ac-discovery=1', { body: PAGE });
    web.serve(KEY_URL, { body: publisher.armoredKey });
    const args = ['--prefix=example.com', '--insecure-allow-http'];
    const { status, stderr } = await rkt('--trust-keys-from-https', 'trust', ...args);
    expect([status, stderr]).toEqual([254, expect.stringContaining('due to lack of tty')]);
  });

  it.each([
    [['key.asc'], /has to be trusted for the images whose names begin with a prefix[\s\S]*--root/],
    [[], /has to be trusted for the images/],
    [['--root'], /cannot be discovered/],
    [['--root', '--prefix=x', 'key.asc'], /--root and --prefix usage mutually exclusive/],
    [['--prefix=https://example.com', 'key.asc'], /must not contain a URL scheme, omit https:\/\//],
    [['--prefix=example.com/../x', 'key.asc'], /"example\.com\/\.\.\/x" is no name of images/],
    [['--prefix=x', 'ftp://x/key'], /only https and http URLs/],
    [['--prefix=x', 'https://user:secret@x/key'], /it has credentials in it/],
    [['--prefix=x', '/no/such'], /cannot read "\/no\/such": no such file or directory/],
    [['--prefix=x', '/proc/self/exe'], /it is larger than 1048576 bytes/],
    [['--prefix=x', '/proc/self/status'], /"\/proc\/self\/status" is no file of OpenPGP public keys/],
    [
      ['--prefix=nohost.example'],
      /discovery failed for "nohost\.example": https:\/\/nohost\.example: the host name is unk/,
    ],
  ])('%j is refused', async (args, message) => {
    const { status, stdout, stderr } = await rkt('trust', ...args);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('secret');
  });
});

describe('an ACI that is discovered', () => {
  it('is fetched where a parent of its name says, its key asked about', async () => {
    await serveAll();
    const io = fakeIo({ tty: true, input: ['yes\n'] });
    const { status, stdout, stderr } = await rkt.within(io, 'fetch', '--progress=plain', '--full', `${NAME}:1.2`);
    expect([status, stdout]).toEqual([0, `${idOf(aci)}\n`]);
    expect(stderr).toContain(`Added key for prefix "${NAME}" at `);
    expect(stderr).toContain(`Downloading ACI: ${ACI_URL}\n${verified}rkt: imported image as ${NAME}:1.2\n`);
    expect(web.urls()).toEqual([
      'https://example.com/app?ac-discovery=1',
      'https://example.com/?ac-discovery=1',
      `${ACI_URL}.asc`,
      'https://example.com/app?ac-discovery=1',
      'https://example.com/?ac-discovery=1',
      KEY_URL,
      ACI_URL,
    ]);
    expect(readdirSync(join(dir, 'data/downloads'))).toEqual([]);
  });

  it('has its key told in the form that is asked for', async () => {
    await serveAll();
    const { status, stderr } = await rkt('--trust-keys-from-https', 'fetch', '--progress=json', `${NAME}:1.2`);
    expect(status).toBe(0);
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).message);
    expect(lines).toContain(`Trusting "${KEY_URL}" for prefix "${NAME}" without fingerprint review.`);
  });

  it('is not fetched where nobody is trusted to have signed it', async () => {
    await serveAll();
    const untrusted = await rkt('fetch', `${NAME}:1.2`);
    expect([untrusted.status, untrusted.stderr]).toEqual([
      254,
      expect.stringMatching(/fetch: error adding keys: error reviewing key[\s\S]*signed by nobody who is trusted/),
    ]);
    expect(web.urls()).not.toContain(ACI_URL);
    writeFileSync(join(dir, 'key.asc'), stranger.armoredKey);
    await trust();
    const other = await rkt('fetch', `${NAME}:1.2`);
    expect(other.stderr).toContain(`fetch: keys already exist for prefix "${NAME}", not fetching again\n`);
    expect(other.status).toBe(254);
    expect(await rkt('--insecure-options=image', 'fetch', `${NAME}:1.2`)).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('rkt: warning: image signature verification has been disabled\n'),
    });
  });

  it('is in the store for whoever asks for it there, and asked about again by update', async () => {
    await serveAll();
    await trust();
    expect(await rkt('fetch', `${NAME}:1.2`)).toMatchObject({ status: 0 });
    web.urls();
    for (const policy of ['new', 'never']) {
      expect(await rkt('fetch', `--pull-policy=${policy}`, '--full', `${NAME}:1.2`)).toMatchObject({
        stdout: `${idOf(aci)}\n`,
      });
    }
    expect(web.urls()).toEqual([]);
    const unchanged = await rkt('fetch', '--full', `${NAME}:1.2`);
    expect([unchanged.status, unchanged.stdout]).toEqual([0, `${idOf(aci)}\n`]);
    expect(web.requests.at(-1)).toMatchObject({ headers: { 'if-none-match': '"1"' } });
    const changed = aciOf({ name: NAME, labels: labelsOf({ version: '1.2', ...own }) }, 'changed');
    web.serveFile(ACI_URL, changed, { etag: '"2"' });
    web.serve(`${ACI_URL}.asc`, { body: await publisher.sign(changed) });
    expect((await rkt('fetch', '--full', `${NAME}:1.2`)).stdout).toBe(`${idOf(changed)}\n`);
    expect((await rkt('fetch', '--full', `${NAME}:1.2`)).stdout).toBe(`${idOf(changed)}\n`);
  });

  it.each<[string, object, string, RegExp]>([
    [
      'another name',
      { name: 'example.com/other' },
      `${NAME}:1.2`,
      /"example\.com\/app" expected but "example\.com\/other"/,
    ],
    [
      'another version',
      { name: NAME, labels: labelsOf({ version: '1.3' }) },
      `${NAME}:1.2`,
      /"version" is "1\.3", asked/,
    ],
    ['no version', { name: NAME }, `${NAME}:1.2`, /label "version" is not there, asked for was "1\.2"/],
    [
      'another platform',
      { name: NAME, labels: labelsOf({ version: '1.2', arch: 'aarch64' }) },
      `${NAME}:1.2`,
      /"arch" is "aarch64"/,
    ],
  ])('with %s is another image', async (_what, manifest, image, message) => {
    await serveAll();
    web.serveFile(ACI_URL, aciOf(manifest));
    const { status, stderr } = await rkt('--insecure-options=image', 'fetch', image);
    expect([status, stderr]).toEqual([254, expect.stringMatching(message)]);
    expect((await rkt('image', 'list', '--no-legend')).stdout).toBe('');
  });

  it('need not say for which platform it is', async () => {
    await serveAll();
    const plain = aciOf({ name: NAME });
    web.serveFile(ACI_URL.replace('1.2', 'latest'), plain);
    expect((await rkt('--insecure-options=image', 'fetch', '--full', NAME)).stdout).toBe(`${idOf(plain)}\n`);
  });

  it('may be at any of several places', async () => {
    await serveAll();
    const dead =
      '<meta name="ac-discovery" content="example.com ftp://x/{name}.{ext}"><meta name="ac-discovery" content="example.com https://gone.example.com/{name}.{ext}">';
    web.serve('https://example.com/?ac-discovery=1', { body: `${dead}${PAGE}` });
    const { status, stderr } = await rkt('--insecure-options=image', 'fetch', `${NAME}:1.2`);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining('fetch: https://gone.example.com: the host name is unk'),
    ]);
  });

  it('fetches what it depends on, each verified', async () => {
    await serveAll();
    await trust();
    const base = aciOf({ name: 'example.com/base', labels: labelsOf({ version: '3', ...own }) });
    const dependencies = [{ imageName: 'example.com/base', labels: labelsOf({ version: '3' }) }];
    const top = aciOf({ name: NAME, labels: labelsOf({ version: '1.2', ...own }), dependencies });
    const baseUrl = ACI_URL.replace('app-1.2', 'base-3');
    web.serveFile(ACI_URL, top);
    web.serve(`${ACI_URL}.asc`, { body: await publisher.sign(top) });
    web.serveFile(baseUrl, base);
    web.serve(`${baseUrl}.asc`, { body: await stranger.sign(base) });
    expect(await rkt('fetch', `${NAME}:1.2`)).toMatchObject({ status: 254 });
    web.serve(`${baseUrl}.asc`, { body: await publisher.sign(base) });
    await trust('example.com');
    expect(await rkt('fetch', '--full', `${NAME}:1.2`)).toMatchObject({ status: 0, stdout: `${idOf(top)}\n` });
    expect((await rkt('image', 'list', '--no-legend', '--fields=name')).stdout.split('\n').sort()).toEqual([
      '',
      `${NAME}:1.2`,
      'example.com/base:3',
    ]);
  });

  it('is not followed in circles', async () => {
    await serveAll();
    const loop = aciOf({ name: NAME, dependencies: [{ imageName: NAME }] });
    web.serveFile(ACI_URL.replace('1.2', 'latest'), loop);
    const { status, stderr } = await rkt('--insecure-options=image', 'fetch', NAME);
    expect([status, stderr]).toEqual([
      254,
      expect.stringContaining('depends on example.com/app, which is not in the store'),
    ]);
  });

  it('comes over plain HTTP only if that is allowed', async () => {
    web.serve('http://example.com/app?ac-discovery=1', {
      body: '<meta name="ac-discovery" content="example.com http://example.com/{name}.{ext}">',
    });
    web.serveFile(`http://example.com/${NAME}.aci`, aci);
    expect(await rkt('--insecure-options=image', 'fetch', NAME)).toMatchObject({ status: 254 });
    expect(await rkt('--insecure-options=image,http', 'fetch', `${NAME}`)).toMatchObject({ status: 0 });
  });

  it.each(['http://127.0.0.1:8080', 'https://localhost', 'https://169.254.169.254'])(
    'is not fetched from this machine because a page says so: %s',
    async (origin) => {
      web.serve('https://example.com/?ac-discovery=1', {
        body: `<meta name="ac-discovery" content="example.com ${origin}/{name}.{ext}">`,
      });
      web.serveFile(`${origin}/${NAME}.aci`, aci);
      expect(await rkt('--insecure-options=image', 'fetch', NAME)).toMatchObject({ status: 254 });
      expect(web.urls().filter((url) => url.startsWith(origin))).toEqual([]);
    },
  );

  it('that nobody knows says why, and how a docker image is written', async () => {
    await serveAll();
    web.serve('https://example.com/?ac-discovery=1', { body: '<p>nothing' });
    expect(await rkt('fetch', NAME)).toEqual({
      status: 254,
      stdout: '',
      stderr:
        `fetch: discovery failed for "${NAME}": cannot fetch "https://example.com/app?(redacted)": bad HTTP status code: 404\n` +
        `hint: for a Docker image write docker://${NAME}\n`,
    });
    expect(await rkt('fetch', 'redis')).toMatchObject({
      stderr: expect.stringContaining('no image "redis" in the store'),
    });
    expect(web.urls()).toHaveLength(2);
  });

  it('may have a signature that is there only after the image', async () => {
    await serveAll();
    await trust();
    let asked = 0;
    const body = await publisher.sign(packed);
    web.serve(`${ACI_URL}.asc`, () => {
      asked += 1;
      return asked === 1 ? { status: 202 } : { body };
    });
    const { status, stderr } = await rkt('fetch', `${NAME}:1.2`);
    expect([status, stderr]).toEqual([0, expect.stringContaining('server requested deferring the signature download')]);
  });
});

describe('an ACI of a URL', () => {
  const url = 'https://files.example.com/app.aci';

  it('is verified by the signature beside it', async () => {
    await trust();
    web.serveFile(url, packed);
    web.serve(`${url}.asc`, { body: await publisher.sign(packed) });
    expect(await rkt('fetch', '--full', url)).toEqual({
      status: 0,
      stdout: `${idOf(aci)}\n`,
      stderr:
        `rkt: fetching image from ${url}\nDownloading signature: ${url}.asc\nDownloading ACI: ${url}\n` +
        `${verified}rkt: imported image as ${NAME}:1.2\n`,
    });
    expect(web.urls()).toEqual([`${url}.asc`, url]);
  });

  it('has to have one', async () => {
    web.serveFile(url, packed);
    const { status, stderr } = await rkt('fetch', url);
    expect([status, stderr]).toEqual([
      254,
      expect.stringContaining(
        `fetch: error downloading the signature file: cannot fetch "${url}.asc": bad HTTP status code: 404\nhint: name another`,
      ),
    ]);
    expect(web.urls()).toEqual([`${url}.asc`]);
    const signature = join(dir, 'signature');
    writeFileSync(signature, await publisher.sign(packed));
    await trust();
    expect(await rkt('fetch', url, `--signature=${signature}`)).toMatchObject({ status: 0 });
  });

  it('that came unverified is sent once more to whoever wants it verified', async () => {
    web.serveFile(url, packed, { maxAge: 100 });
    expect(await rkt('--insecure-options=image', 'fetch', url)).toMatchObject({ status: 0 });
    web.serve(`${url}.asc`, { body: await stranger.sign(packed) });
    await trust();
    expect(await rkt('fetch', url)).toMatchObject({ status: 254 });
    web.serve(`${url}.asc`, { body: await publisher.sign(packed) });
    expect(await rkt('fetch', url)).toMatchObject({ status: 0, stderr: expect.stringContaining(verified) });
    web.urls();
    expect(await rkt('fetch', url)).toMatchObject({ status: 0 });
    expect(web.urls()).toEqual([]);
  });

  it('is told without what its query may hold', async () => {
    web.serveFile(`${url}?token=secret`, packed);
    const args = ['fetch', '--progress=json', `${url}?token=secret`];
    const { status, stderr } = await rkt('--insecure-options=image', ...args);
    expect([status, stderr]).toEqual([0, expect.stringContaining('image:stored')]);
    expect(stderr).not.toContain('secret');
  });

  it('is remembered without its login and its query, which others may read, and found again by the same query', async () => {
    const signed = `${url}?sig=secret1`;
    const paged = `https://files.example.com/${NAME}.aci?sig=secret1`;
    web.serve('https://example.com/app?ac-discovery=1', {
      body: '<meta name="ac-discovery" content="example.com https://files.example.com/{name}.{ext}?sig=secret1">',
    });
    for (const each of [signed, paged]) web.serveFile(each, packed);
    const fetch = (image: string, policy: string) =>
      rkt('--insecure-options=image', 'fetch', '--full', `--pull-policy=${policy}`, image);
    for (const image of [signed, NAME]) expect(await fetch(image, 'update')).toMatchObject({ status: 0 });
    for (const path of globSync(join(dir, 'data/**'), { withFileTypes: true })) {
      if (path.isFile()) expect(readFileSync(join(path.parentPath, path.name), 'latin1')).not.toContain('secret1');
    }
    expect(await fetch(signed, 'never')).toMatchObject({ status: 0, stdout: `${idOf(aci)}\n` });
    expect(await fetch(signed.replace('secret1', 'secret2'), 'never')).toMatchObject({ status: 254 });
  });

  it('is not asked for while the server’s word holds, nor sent if it has not changed', async () => {
    web.serveFile(url, packed, { maxAge: 100 });
    const fetch = async (later: number): Promise<readonly string[]> => {
      const io = fakeIo();
      io.time += later * 1000;
      expect((await rkt.within(io, '--insecure-options=image', 'fetch', '--full', url)).stdout).toBe(`${idOf(aci)}\n`);
      return web.requests.splice(0).map(({ headers }) => headers['if-none-match'] ?? 'all');
    };
    expect(await fetch(0)).toEqual(['all']);
    expect(await fetch(99)).toEqual([]);
    expect(await fetch(100)).toEqual(['"1"']);
    // What the server said then holds again.
    expect(await fetch(150)).toEqual([]);
    expect((await rkt('fetch', '--pull-policy=new', '--full', url)).stdout).toBe(`${idOf(aci)}\n`);
    expect(await rkt('fetch', '--pull-policy=never', `${url.replace('app', 'other')}`)).toMatchObject({
      status: 254,
      stderr: expect.stringContaining('was not found in the store and fetching it was not allowed'),
    });
    expect(web.urls()).toEqual([]);
  });

  it('gets the credentials of its host, and no other host does', async () => {
    mkdirSync(join(dir, 'etc/auth.d'), { recursive: true });
    const credentials = { user: 'me', password: 'secret' };
    const auth = { rktKind: 'auth', rktVersion: 'v1', domains: ['files.example.com'], type: 'basic', credentials };
    writeFileSync(join(dir, 'etc/auth.d/a.json'), JSON.stringify(auth), { mode: 0o600 });
    web.serve(url, { status: 302, headers: { location: 'https://cdn.example.net/app.aci' } });
    web.serveFile('https://cdn.example.net/app.aci', packed);
    expect(await rkt('--insecure-options=image', 'fetch', url)).toMatchObject({ status: 0 });
    expect(web.requests.map(({ url: { host }, headers }) => [host, headers['authorization']])).toEqual([
      ['files.example.com', `Basic ${Buffer.from('me:secret').toString('base64')}`],
      ['cdn.example.net', undefined],
    ]);
    web.urls();
    web.serve('http://files.example.com/app.aci', { body: packed });
    await rkt('--insecure-options=image,http', 'fetch', 'http://files.example.com/app.aci');
    expect(web.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it.each<[string, string, RegExp]>([
    [
      'http://example.com/app.aci',
      '',
      /cannot fetch "http:\/\/example\.com\/app\.aci": it is plain HTTP\nhint: .*--insecure-options=http/,
    ],
    [url, 'http://files.example.com/app.aci', /redirect from .* refused: it leads from https to http/],
    [url, 'https://127.0.0.1/app.aci', /refused: it leads to the local address 127\.0\.0\.1/],
    [url, url, /redirects more than 10 times/],
  ])('%s that leads to %s is refused', async (from, to, message) => {
    web.serve(from, { status: 301, headers: { location: to } });
    const { status, stderr } = await rkt('--insecure-options=image', 'fetch', from);
    expect([status, stderr]).toEqual([254, expect.stringMatching(message)]);
  });
});
