// SPDX-License-Identifier: Apache-2.0
export { type ErofsSupport, probeErofs } from './probe-erofs.ts';
export { writeErofs } from './write-erofs.ts';
