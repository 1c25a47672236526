// SPDX-License-Identifier: Apache-2.0
import type { App } from '@rkt/appc';
import type { OciSpecInput } from '../../src/oci-spec/index.ts';

/** A plain app of a plain pod, to vary. */
export function specInput(app: Partial<App> = {}, overrides: Partial<OciSpecInput> = {}): OciSpecInput {
  return {
    app: { exec: ['/bin/true'], user: '0', group: '0', ...app },
    appName: 'web',
    podId: '6f1b2c3d-0000-4000-8000-000000000001',
    rootfsPath: '/pod/rootfs',
    readOnlyRootfs: false,
    hostname: 'rkt-6f1b2c3d',
    terminal: false,
    namespaces: { network: { path: '/proc/7/ns/net' }, ipc: { path: '/proc/7/ns/ipc' }, uts: 'new', pid: 'new' },
    mounts: [],
    cgroupsPath: '/rkt/pod/web',
    user: { uid: 0, gid: 0, additionalGids: [], home: '/root', name: 'root' },
    environment: [{ name: 'PATH', value: '/bin' }],
    hostLimits: { nofile: { soft: 1024, hard: 20_000 } },
    architecture: 'x64',
    ...overrides,
  };
}
