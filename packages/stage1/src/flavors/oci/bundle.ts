// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Stage1Error } from '../../error.ts';
import { type Host, type Syscalls, SystemCallError } from '../../host/index.ts';
import { appPaths } from '../../mounts/index.ts';
import { appEnvironment, buildOciSpec, type OciSpec, resolveUser } from '../../oci-spec/index.ts';
import { writeFileAtomically } from '../../pod/index.ts';
import type { AppContext } from '../flavor.ts';

/**
 * Writes the runtime's configuration of an app whose root filesystem is mounted.
 *
 * @throws what buildOciSpec and resolveUser throw
 */
export async function writeBundle(host: Host, context: AppContext, terminal: boolean): Promise<OciSpec> {
  const { pod, app, mounts } = context;
  const paths = appPaths(app.name);
  const [passwd, group] = await readDatabases(host, context, ['/etc/passwd', '/etc/group']);
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

async function readDatabases(
  host: Host,
  { pod, app }: AppContext,
  names: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const { syscalls, namespaces } = await host.kernel();
  return namespaces.inMount(`/proc/${pod.holder.pid}/ns/mnt`, () => {
    const root = openSync(join(pod.dir, appPaths(app.name).rootfs), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return names.map((name) => readImageFile(syscalls, root, name));
    } finally {
      closeSync(root);
    }
  });
}

/** `resolveUser` refuses more than this; one byte more is read for it to notice. */
const maxDatabase = 4 * 1024 * 1024;

/** Undefined when the image has none. Opened without waiting: an image may have put a fifo there. */
function readImageFile(syscalls: Syscalls, root: number, path: string): string | undefined {
  let fd: number;
  try {
    fd = syscalls.openInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (error instanceof SystemCallError && ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(error.code))
      return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    const buffer = Buffer.alloc(Math.min(stat.size, maxDatabase + 1));
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(fd, buffer, length, buffer.length - length, null);
    }
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}
