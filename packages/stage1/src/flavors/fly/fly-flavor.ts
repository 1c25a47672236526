// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { PodManifest } from '@rkt/appc';
import { appPaths } from '../../mounts/index.ts';
import { quote } from '../../quote.ts';
import type { Flavor } from '../flavor.ts';
import { enterApp } from './enter-app.ts';
import { removeApp } from './remove-app.ts';
import { startApp } from './start-app.ts';

/**
 * Apps in another root directory and nothing more: network, processes, devices and capabilities are the host's. For
 * programs that administer the host itself.
 */
export function createFlyFlavor(): Flavor {
  return {
    name: 'fly',
    interfaceVersion: 1,
    traits: {
      namespaces: [],
      userNamespaces: false,
      enterChanges: true,
      apps: 'one',
      detaches: false,
      onlyByName: true,
    },
    probe: async () => ({ usable: true }),
    review: ignoredIsolators,
    prepareNamespace: () => undefined,
    start: startApp,
    enter: enterApp,
    processes: ({ processes }, { dir, app }) => processes.rootedBelow(join(dir, appPaths(app).rootfs)),
    remove: removeApp,
  };
}

function ignoredIsolators({ apps }: PodManifest): readonly string[] {
  return apps.flatMap(({ name, app }) =>
    (app.isolators ?? []).map((isolator) => {
      return `flavor fly isolates nothing: isolator ${quote(isolator.name)} of app ${quote(name)} is ignored`;
    }),
  );
}
