// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { Stage1Error } from '../../error.ts';
import type { Host } from '../../host/index.ts';
import { appPaths, resolveInRoot } from '../../mounts/index.ts';
import { appEnvironment, buildOciSpec, type OciSpec, resolveUser } from '../../oci-spec/index.ts';
import { writeFileAtomically } from '../../pod/index.ts';
import type { AppContext } from '../flavor.ts';
import { inRootfs, readImageFile } from './image-files.ts';

/** `resolveUser` refuses more than this; one byte more is read for it to notice. */
const maxDatabase = 4 * 1024 * 1024;

/**
 * Writes the runtime's configuration of an app whose root filesystem is mounted.
 *
 * @throws what buildOciSpec and resolveUser throw
 */
export async function writeBundle(host: Host, context: AppContext, terminal: boolean): Promise<OciSpec> {
  const { pod, app } = context;
  const paths = appPaths(app.name);
  const { passwd, group, mounts } = await inRootfs(host, context, (syscalls, root) => {
    const read = (path: string): string | undefined =>
      readImageFile(syscalls, root, { path, limit: maxDatabase + 1 })?.toString();
    const resolve = (destination: string): string => resolveInRoot(syscalls, root, destination);
    return {
      passwd: read('/etc/passwd'),
      group: read('/etc/group'),
      mounts: context.mounts.map((mount) => ({ ...mount, destination: resolve(mount.destination) })),
    };
  });
  const user = resolveUser(passwd, group, {
    user: app.app.user,
    group: app.app.group,
    ...(app.app.supplementaryGIDs && { supplementaryGids: app.app.supplementaryGIDs }),
  });
  const namespace = (kind: string): { readonly path: string } => ({ path: `/proc/${pod.holder.pid}/ns/${kind}` });
  const hostCapabilities = host.boundingSet();
  const spec = buildOciSpec({
    app: app.app,
    appName: app.name,
    podId: pod.id,
    rootfsPath: join(pod.dir, paths.rootfs),
    readOnlyRootfs: app.readOnlyRootFS ?? false,
    hostname: pod.hostname,
    terminal,
    namespaces: {
      network: pod.hostNetwork ? 'host' : namespace('net'),
      ipc: namespace('ipc'),
      uts: namespace('uts'),
      pid: 'new',
    },
    mounts,
    cgroupsPath: `/rkt/${pod.id}/${app.name}`,
    user,
    environment: appEnvironment(app.app, { appName: app.name, user, terminal }),
    hostLimits: host.limits(),
    ...(hostCapabilities && { hostCapabilities }),
    insecure: pod.insecure,
    architecture: architecture(),
  });
  writeFileAtomically(join(pod.dir, paths.bundle, 'config.json'), JSON.stringify(spec));
  return spec;
}

function architecture(): 'x64' | 'arm64' {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  const message = `there is no seccomp profile for architecture ${process.arch}, expected x64 or arm64`;
  throw new Stage1Error('ERR_RKT_STAGE1_RUNTIME_FAILED', message);
}
