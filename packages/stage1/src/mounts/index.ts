// SPDX-License-Identifier: Apache-2.0
export { type AppPaths, appPaths } from './app-paths.ts';
export { removeTree } from './empty-volume.ts';
export { mountApp, volumeMounts } from './mount-app.ts';
export { resolveInRoot } from './resolve-in-root.ts';
