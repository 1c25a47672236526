// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';

/** Images composed once and kept between runs, the demo's included. */
export const imageCache: string = fileURLToPath(new URL('../../../.cache/images', import.meta.url));
