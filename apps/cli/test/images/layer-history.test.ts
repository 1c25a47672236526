// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { layerHistory } from '../../src/images/layer-history.ts';

const layer = { diffId: `sha256:${'0'.repeat(64)}`, size: 5, path: '/layer' };

it('is read from a configuration that begins with a byte order mark, as the registry client reads it', () => {
  const config = Buffer.from('\ufeff{"history":[{"created_by":"ADD x"},{"empty_layer":true,"created_by":"CMD y"}]}');
  expect(layerHistory([layer], config)).toMatchObject([
    { diffId: layer.diffId, size: 5, createdBy: 'ADD x' },
    { diffId: undefined, size: 0, createdBy: 'CMD y' },
  ]);
});
