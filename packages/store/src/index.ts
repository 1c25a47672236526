// SPDX-License-Identifier: Apache-2.0

export { removeTree } from './cas/visit-files.ts';
export type { StepHook } from './context.ts';
export { isStoreError, StoreError, type StoreErrorCode, type StoreErrorContext } from './errors.ts';
export { type OpenStoreOptions, openStore } from './open-store.ts';
export type { StoreEvent } from './records/rebuild.ts';
export type {
  AbortOptions,
  AciIngest,
  AciLayer,
  BindOptions,
  ExportChangedOptions,
  Finding,
  GcOptions,
  ImagePlatform,
  ImageQuery,
  ImageRecord,
  Lease,
  PutImageOptions,
  ReceivedAci,
  RemoteRecord,
  RemovalOptions,
  RemovedItem,
  Store,
  StoredImage,
  StoredLayer,
  TemporaryFile,
  Tree,
  TreeBackend,
  UserRange,
} from './store.ts';
export { type ErofsSupport, probeErofs } from './trees/probe-erofs.ts';
export type { StartWorker } from './verify/start-worker.ts';
