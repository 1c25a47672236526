// SPDX-License-Identifier: Apache-2.0
export { type ExtractTreeOptions, extractTree } from './extract-tree.ts';
