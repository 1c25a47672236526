// SPDX-License-Identifier: Apache-2.0
export { type AppPaths, appPaths } from './app-paths.ts';
export { mountApp, type PodUsers, volumeMounts } from './mount-app.ts';
export { mountPassage, passage, passageTo } from './passage.ts';
export { planVolumes } from './plan-volumes.ts';
export { removeTree } from './remove-tree.ts';
export { resolveInRoot } from './resolve-in-root.ts';
