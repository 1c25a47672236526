// SPDX-License-Identifier: Apache-2.0
export { writeErofs } from './write-erofs.ts';
