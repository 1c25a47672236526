// SPDX-License-Identifier: Apache-2.0
//
// A program: composes the images of the demo and the end-to-end tests, unless .cache/images holds them.

import { join } from 'node:path';
import { composeImage } from '@rkt/tooling-images';
import { cacheDir } from './src/repository.ts';

for (const name of ['redis', 'nginx'] as const) await composeImage(name, join(cacheDir, 'images'));
