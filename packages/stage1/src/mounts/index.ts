// SPDX-License-Identifier: Apache-2.0
export { type AppPaths, appPaths, passage, passageTo } from './app-paths.ts';
export { mountApp, type PodUsers, volumeMounts } from './mount-app.ts';
export { planVolumes } from './plan-volumes.ts';
export { removeTree } from './remove-tree.ts';
export { resolveInRoot } from './resolve-in-root.ts';
