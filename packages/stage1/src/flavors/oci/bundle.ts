// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { NameValue } from '@rkt/appc';
import { Stage1Error } from '../../error.ts';
import type { Host } from '../../host/index.ts';
import { appPaths, passageTo } from '../../mounts/index.ts';
import { appEnvironment, buildOciSpec, type OciSpec } from '../../oci-spec/index.ts';
import { appCgroup, writeFileAtomically } from '../../pod/index.ts';
import type { Listeners } from '../../runtime.ts';
import type { AppContext } from '../flavor.ts';
import { resolveApp } from '../image/resolve-app.ts';

export interface BundleOptions {
  readonly terminal: boolean;
  readonly listeners?: Listeners | undefined;
}

/**
 * Writes the runtime's configuration of an app whose root filesystem is mounted.
 *
 * @throws what buildOciSpec and resolveUser throw
 */
export async function writeBundle(
  host: Host,
  context: AppContext,
  { terminal, listeners }: BundleOptions,
): Promise<OciSpec> {
  const { pod, app } = context;
  const paths = appPaths(app.name);
  const { user, mounts, workingDirectory } = await resolveApp(host, context);
  const namespace = (kind: string): { readonly path: string } => ({ path: `/proc/${pod.holder.pid}/ns/${kind}` });
  const terminalSize = host.terminalSize();
  const hostCapabilities = host.boundingSet();
  const spec = buildOciSpec({
    app: { ...app.app, workingDirectory },
    appName: app.name,
    podId: pod.id,
    rootfsPath: pod.users === undefined ? join(pod.dir, paths.rootfs) : passageTo(app.name),
    readOnlyRootfs: app.readOnlyRootFS ?? false,
    hostname: pod.hostname,
    terminal,
    ...(terminalSize && { terminalSize }),
    namespaces: {
      network: pod.hostNetwork ? 'host' : namespace('net'),
      ipc: namespace('ipc'),
      uts: namespace('uts'),
      pid: pod.init === undefined ? 'new' : { path: `/proc/${pod.init.pid}/ns/pid` },
      ...(pod.users && { user: { ...namespace('user'), users: pod.users } }),
    },
    mounts,
    cgroupsPath: `/${appCgroup(pod.id, app.name)}`,
    user,
    environment: [...appEnvironment(app.app, { appName: app.name, user, terminal }), ...activation(context, listeners)],
    hostLimits: host.limits(),
    ...(hostCapabilities && { hostCapabilities }),
    insecure: pod.insecure,
    architecture: architecture(),
  });
  writeFileAtomically(join(pod.dir, paths.bundle, 'config.json'), JSON.stringify(spec));
  return spec;
}

/**
 * sd_listen_fds(3). An app that is the first process of its PID namespace is process 1; in the pod's, nobody knows before it
 * has been created, when its environment is long written.
 */
function activation({ pod, app }: AppContext, listeners: Listeners | undefined): readonly NameValue[] {
  if (listeners === undefined || listeners.fds.length === 0) return [];
  if (pod.init !== undefined) {
    const message = `app "${app.name}" is in the pod's PID namespace and cannot be told its process (LISTEN_PID), so it takes no sockets of a service manager`;
    throw new Stage1Error('ERR_RKT_STAGE1_APP_INVALID', message);
  }
  const { fds, names = [] } = listeners;
  return [
    { name: 'LISTEN_FDS', value: String(fds.length) },
    { name: 'LISTEN_PID', value: '1' },
    ...(names.length === 0 ? [] : [{ name: 'LISTEN_FDNAMES', value: names.join(':') }]),
  ];
}

function architecture(): 'x64' | 'arm64' {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  const message = `there is no seccomp profile for architecture ${process.arch}, expected x64 or arm64`;
  throw new Stage1Error('ERR_RKT_STAGE1_RUNTIME_FAILED', message);
}
