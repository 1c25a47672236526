// SPDX-License-Identifier: Apache-2.0

/** Of an image; a configuration has as many diffIDs. */
export const MAX_LAYERS = 512;
