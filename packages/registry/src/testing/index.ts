// SPDX-License-Identifier: Apache-2.0
export type { TestAuth } from './auth.ts';
export type { BlobContent } from './content.ts';
export type { Fault, FaultAction } from './faults.ts';
export type { BuiltImage, PlacedBlob, TestImage, TestLayer } from './image-builder.ts';
export type { AddLayoutOptions } from './layout.ts';
export type { BuiltSchema1Image, TestSchema1Image, TestSchema1Step } from './schema1-image.ts';
export { type LoggedRequest, startTestRegistry, type TestRegistry, type TestRegistryOptions } from './server.ts';
