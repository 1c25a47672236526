// SPDX-License-Identifier: Apache-2.0
import { discoveryNames, imageLocations, parseDiscoveryTags, publicKeyLocations } from '@rkt/appc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** The page of the specification's own examples, in the disorder of real pages. */
const PAGE = `<!DOCTYPE html><html><head>
<title>An <meta name="ac-discovery" content="example.com https://wrong/{ext}"></title>
<!-- <meta name="ac-discovery" content="example.com https://wrong/{ext}"> -->
<script>var s = '<meta name="ac-discovery" content="example.com https://wrong/{ext}">';</script>
<META charset=utf-8><meta
  content='example.com  https://storage.example.com/{os}/{arch}/{name}-{version}.{ext}'
  name="ac-discovery" />
<meta name=ac-discovery content="example.com hdfs://storage.example.com/{name}-{version}-{os}-{arch}.{ext}&amp;x=&#49;">
<meta name="ac-discovery-pubkeys" content="example.com https://example.com/pubkeys.gpg"><meta name="ac-other" content="example.com x">
<meta name="ac-discovery" content="other.org https://other.org/{name}.{ext}">
<body><p>1 < 2 <a href="/x">`;

const image = { name: 'example.com/reduce-worker', labels: { version: '1.0.0', os: 'linux', arch: 'amd64' } };

describe('discovery', () => {
  it('finds what a page says about an image, as the specification has it', () => {
    const tags = parseDiscoveryTags(PAGE);
    expect(tags.map(({ kind }) => kind)).toEqual(['image', 'image', 'public-keys', 'image']);
    expect(imageLocations(tags, image)).toEqual([
      {
        image: 'https://storage.example.com/linux/amd64/example.com/reduce-worker-1.0.0.aci',
        signature: 'https://storage.example.com/linux/amd64/example.com/reduce-worker-1.0.0.aci.asc',
      },
      {
        image: 'hdfs://storage.example.com/example.com/reduce-worker-1.0.0-linux-amd64.aci&x=1',
        signature: 'hdfs://storage.example.com/example.com/reduce-worker-1.0.0-linux-amd64.aci.asc&x=1',
      },
    ]);
    expect(publicKeyLocations(tags, image.name)).toEqual(['https://example.com/pubkeys.gpg']);
    expect(publicKeyLocations(tags, 'other.org/x')).toEqual([]);
  });

  it('asks the name, then its parents', () => {
    expect(discoveryNames('example.com/project/sub')).toEqual([
      'example.com/project/sub',
      'example.com/project',
      'example.com',
    ]);
    expect(discoveryNames('example.com')).toEqual(['example.com']);
  });

  it.each([
    'redis',
    'library/redis',
    'localhost/x',
    'a..b/c',
    'example.com/../x',
    'example.com//x',
    'example.com/.',
    '',
  ])('asks nobody for %j', (name) => expect(discoveryNames(name)).toEqual([]));

  it('is of names, labels and locations of a length that anybody has', () => {
    const long = 'a'.repeat(1025);
    expect(discoveryNames(`example.com${'/a'.repeat(1_000_000)}`)).toEqual([]);
    const [tag] = parseDiscoveryTags(
      '<meta name="ac-discovery" content="example.com https://e.com/{name}{channel}.{ext}">',
    );
    const tags = tag === undefined ? [] : [tag];
    expect(imageLocations(tags, { name: 'example.com/a', labels: { channel: 'a'.repeat(1024) } })).toHaveLength(1);
    expect(imageLocations(tags, { name: 'example.com/a', labels: { channel: long } })).toEqual([]);
    const page = `<meta name="ac-discovery" content="example.com https://e.com/${'{name}'.repeat(1000)}.{ext}">`;
    expect(parseDiscoveryTags(page)).toEqual([]);
  });

  it.each<[template: string, labels: Readonly<Record<string, string>>, image: string | undefined]>([
    ['https://e.com/{version}.{ext}', {}, 'https://e.com/latest.aci'],
    ['https://e.com/{name}/{version}.{ext}', { version: '1+2', name: 'no' }, 'https://e.com/example.com/a/1%2B2.aci'],
    ['https://{version}.e.com/{ext}', { version: "evil.org/?#@:'" }, 'https://evil.org%2F%3F%23%40%3A%27.e.com/aci'],
    ['https://e.com/{version}/x.{ext}', { version: '..' }, 'https://e.com/%2E%2E/x.aci'],
    ['https://e.com/{os}.{ext}', {}, undefined],
    ['https://e.com/{channel}.{ext}', { channel: 'é' }, 'https://e.com/%C3%A9.aci'],
    ['https://e.com/{version}', {}, undefined],
    ['https://e.com/{{ext}}', {}, undefined],
    ['https://e.com/{ext', {}, undefined],
    ['https://e.com/{__proto__}{ext}', {}, undefined],
  ])('expands %s with %j to %s', (location, labels, expected) => {
    const tags = [{ kind: 'image', prefix: 'example.com', location }] as const;
    expect(imageLocations(tags, { name: 'example.com/a', labels })[0]?.image).toBe(expected);
  });

  it.each([
    ['<meta name="ac-discovery" content="a b', 0],
    ['<meta name="ac-discovery" content="a">', 0],
    ['<meta name="ac-discovery" content="a b c">', 0],
    ['<meta name="ac-discovery" content=a\u0001b content="x y">', 0],
    ['<meta name="ac-discovery" name="x" content="a b">', 1],
    ['<meta/name="ac-discovery"/content="a b"/>', 1],
    ['<metaname="ac-discovery" content="a b">', 0],
    ['<!--><meta name="ac-discovery" content="a b">', 1],
    ['<!-- --!> <meta name="ac-discovery" content="a b">', 0],
    ['<?x><meta name="ac-discovery" content="a b">', 1],
    ['<style></style ><meta name="ac-discovery" content="a b">', 1],
    ['<style></styles><meta name="ac-discovery" content="a b">', 0],
    ["<p title=\"<meta name='ac-discovery' content='a b'>\">", 0],
    ['<meta = name="ac-discovery" content="a b">', 1],
    ['<meta name="ac-discovery" content="&#0;&#x110000;a &#x41;">', 1],
  ])('reads tags as browsers do: %s', (html, count) => {
    expect(parseDiscoveryTags(html)).toHaveLength(count);
  });

  it('reads any text in linear time', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'<>/!-="\' \nameta{}&#x;'), maxLength: 200 }), (text) => {
        parseDiscoveryTags(text);
      }),
    );
    for (const unit of [
      '<',
      '<a ',
      '<meta name=',
      '<!--',
      '<script>',
      '<a b="',
      '=',
      '<a\t=',
      ' / ',
      '</style',
      '&#x',
    ]) {
      const page = `<meta${unit.repeat(Math.ceil((1 << 20) / unit.length))}`;
      const before = process.cpuUsage().user;
      parseDiscoveryTags(page);
      expect((process.cpuUsage().user - before) / 1000, unit).toBeLessThan(2000);
    }
  });

  it('takes no more than a hundred tags of a page', () => {
    expect(parseDiscoveryTags('<meta name="ac-discovery" content="a b">'.repeat(1000))).toHaveLength(100);
  });
});
