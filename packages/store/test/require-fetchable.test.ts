// SPDX-License-Identifier: Apache-2.0
import { type AciSegment, aciSegments, type LayerLimits, maxTarBytes } from '@rkt/appc';
import { describe, expect, it } from 'vitest';
import { requireFetchable } from '../src/render/require-fetchable.ts';
import { directory, file } from './trees/support/nodes.ts';

/** An ACI of seven entries: the manifest, a file under two names, one of its own, a link, an empty directory and the root. */
function segmentsOf(sizes: readonly [twice: number, once: number] = [3, 5]): Iterable<AciSegment> {
  const xattrs = new Map([['user.a', '1']]);
  const twice = file(sizes[0], 512, { xattrs });
  const origin = { layer: 0, headerOffset: 1 };
  const link = { kind: 'symlink', target: 'once', origin, attributes: twice.attributes } as const;
  const root = directory({ twice, again: twice, once: file(sizes[1], 8192), link, empty: directory({}) });
  return aciSegments({ layers: { length: 1 }, root }, Buffer.from('{}'));
}

const METADATA_BYTES =
  'manifestrootfsrootfs/emptyrootfs/once'.length +
  'rootfs/againrootfs/twicerootfs/again'.length +
  'rootfs/linkonce'.length +
  3 * 'user.a1'.length;

describe('an archive is fetched again that has no more than', () => {
  it.each<[string, Partial<LayerLimits>, Partial<LayerLimits>, string]>([
    ['entries', { maxEntries: 7 }, { maxEntries: 6 }, 'layer has more than 6 entries'],
    [
      'bytes of names and attributes, each as often as it is told',
      { maxMetadataBytes: METADATA_BYTES },
      { maxMetadataBytes: METADATA_BYTES - 1 },
      `names and attributes of a layer exceed ${METADATA_BYTES - 1} bytes`,
    ],
  ])('so many %s', async (_, most, fewer, why) => {
    await requireFetchable(segmentsOf(), { limits: most });
    await expect(requireFetchable(segmentsOf(), { limits: fewer })).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_TREE_UNSUPPORTED',
      message: `the image with what the pod wrote could not be fetched again: ${why}`,
    });
  });

  it('so many bytes in all', async () => {
    const rest = [...segmentsOf([512, 0])].reduce((sum, each) => sum + ('bytes' in each ? each.bytes.length : 0), 0);
    await requireFetchable(segmentsOf([maxTarBytes - rest, 0]));
    await expect(requireFetchable(segmentsOf([maxTarBytes - rest + 1, 0]))).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_TREE_UNSUPPORTED',
      message: `the image with what the pod wrote could not be fetched again: it has more than ${maxTarBytes} bytes`,
    });
  });

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(requireFetchable(segmentsOf(), { signal })).rejects.toThrow('enough');
  });
});
