// SPDX-License-Identifier: Apache-2.0
import { formatReference, type LayoutSelector, parseDigest } from '@rkt/refparse';
import { describe, expect, test } from 'vitest';
import { chooseImage, type ImageArchive, openOciLayout } from '../../src/index.ts';
import { writeLayout } from '../layout.ts';

const digests = ['1', '2', '3'].map((digit) => parseDigest(`sha256:${digit.repeat(64)}`));

function archive(file: string, ...images: readonly (readonly string[])[]): ImageArchive {
  return {
    name: file,
    images: images.map((names, at) => ({ names, ...(digests[at] === undefined ? {} : { digest: digests[at] }) })),
    open: () => Promise.reject(new Error('not opened')),
  };
}

const tag = (text: string): LayoutSelector => ({ kind: 'tag', tag: text });
const name = (text: string): LayoutSelector => ({ kind: 'name', name: text });
const digest = (at: number): LayoutSelector => ({ kind: 'digest', digest: digests[at] ?? parseDigest('') });

const alpine = 'docker.io/library/alpine:3.20';

describe('what an image of an archive is called', () => {
  test.each<[string, readonly (readonly string[])[], LayoutSelector | undefined, readonly string[]]>([
    ['its whole name', [[alpine]], undefined, [alpine]],
    ['its whole name, as Docker reads it', [['alpine:3.20']], undefined, [alpine]],
    ['all its whole names', [['b.example/x:1', 'a.example/x:2']], undefined, ['b.example/x:1', 'a.example/x:2']],
    ['a whole name rather than the tag beside it', [['3.20', alpine]], undefined, [alpine]],
    ['after the file, with its tag', [['v1']], undefined, ['localhost/a:v1']],
    ['after the file, with all its tags', [['v1', 'v2']], undefined, ['localhost/a:v1', 'localhost/a:v2']],
    ['after the file alone, if it has no name', [[]], undefined, ['localhost/a:latest']],
    ['after the file, if what it has is no name', [['A b', 'x@sha256:1']], undefined, ['localhost/a:latest']],
    ['latest, if that is one of several', [['v1'], ['latest']], undefined, ['localhost/a:latest']],
    ['by the tag it was chosen by', [['v1'], ['v2']], tag('v2'), ['localhost/a:v2']],
    ['by the whole name with the tag', [[alpine, 'b.example/x:1'], ['v2']], tag('3.20'), [alpine]],
    [
      'by the whole name that it was chosen by',
      [[alpine, 'b.example/x:1'], ['v2']],
      name('b.example/x:1'),
      ['b.example/x:1'],
    ],
    ['by a short form of its name', [[alpine], ['v2']], name('alpine:3.20'), [alpine]],
    ['whatever it was asked for, if it has no name', [[]], name('mine:1'), ['docker.io/library/mine:1']],
    ['whatever tag it was asked for, if it has no name', [[]], tag('mine'), ['localhost/a:mine']],
    ['after the file, if its name is none to others', [['Foo/Bar'], ['v2']], name('Foo/Bar'), ['localhost/a:latest']],
    ['its whole name, if it was chosen by digest', [[alpine], ['v2']], digest(0), [alpine]],
    ['by its digest, if it has no name', [[], ['v2']], digest(0), [`localhost/a@${digests[0]}`]],
    ['by a digest the archive does not list', [['v1']], digest(2), [`localhost/a@${digests[2]}`]],
  ])('is %s', (_what, images, selector, expected) => {
    const { references } = chooseImage(archive('/some/A.oci.tar', ...images), selector);
    expect(references.map(formatReference)).toEqual(expected);
  });

  test.each([
    ['/x/redis.tar.gz', 'localhost/redis:latest'],
    ['redis.oci', 'localhost/redis:latest'],
    ['redis-7.2.tgz', 'localhost/redis-7.2:latest'],
    ['/x/.tar', 'localhost/image:latest'],
    ['standard input', 'localhost/image:latest'],
    ['/x/b\u00e4h', 'localhost/image:latest'],
  ])('is for want of a name made of the file %s', (path, expected) => {
    expect(chooseImage(archive(path, [])).references.map(formatReference)).toEqual([expected]);
  });

  test.each<[readonly (readonly string[])[], LayoutSelector | undefined, string, string]>([
    [[], undefined, 'NOT_FOUND', '"x\\u001b" has no image'],
    [[['v1'], [alpine]], undefined, 'AMBIGUOUS', `has several images: "v1", "${alpine}"`],
    [[[], ['a\u001b']], undefined, 'AMBIGUOUS', `has several images: @${digests[0]}, "a\\u001b"`],
    [[['a.example/x:1'], ['b.example/x:1']], tag('1'), 'AMBIGUOUS', 'has several images "1": '],
    [[['v1']], tag('v2'), 'NOT_FOUND', 'has no image "v2": it has "v1"'],
    [[['v1']], tag('latest'), 'NOT_FOUND', 'has no image "latest": it has "v1"'],
    [[[alpine]], name('alpine:3.21'), 'NOT_FOUND', `has no image "alpine:3.21": it has "${alpine}"`],
    [[['latest']], name('mine:latest'), 'NOT_FOUND', 'has no image "mine:latest": it has "latest"'],
  ])('of %j is not guessed (%j)', (images, selector, code, message) => {
    expect(() => chooseImage(archive('x\u001b', ...images), selector)).toThrow(
      expect.objectContaining({
        code: `ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_${code}`,
        message: expect.stringContaining(message),
      }),
    );
  });

  test('is opened as the image it was chosen for', async () => {
    const layout = await openOciLayout(
      await writeLayout([{ names: ['v1'] }, { names: [alpine, 'edge'] }, { names: [] }]),
    );
    expect(layout.images.map(({ names }) => names)).toEqual([['v1'], [alpine, 'edge'], []]);
    for (const image of layout.images) {
      const selector: LayoutSelector = { kind: 'digest', digest: image.digest ?? parseDigest('') };
      const chosen = chooseImage(layout, selector);
      const opened = await layout.open(chosen.references[0], { image: chosen.image });
      expect([opened.descriptor.digest, opened.reference]).toEqual([image.digest, chosen.references[0]]);
    }
  });
});
