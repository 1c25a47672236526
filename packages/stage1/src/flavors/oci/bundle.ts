// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { NameValue, RuntimeApp } from '@rkt/appc';
import { Stage1Error } from '../../error.ts';
import type { Host } from '../../host/index.ts';
import { appPaths, resolveInRoot } from '../../mounts/index.ts';
import { appEnvironment, buildOciSpec, type OciSpec, resolveUser } from '../../oci-spec/index.ts';
import { writeFileAtomically } from '../../pod/index.ts';
import { quote } from '../../quote.ts';
import type { Listeners } from '../../runtime.ts';
import type { AppContext } from '../flavor.ts';
import { inRootfs, readImageFile } from './image-files.ts';

export interface BundleOptions {
  readonly terminal: boolean;
  readonly listeners?: Listeners | undefined;
}

/** `resolveUser` refuses more than this; one byte more is read for it to notice. */
const maxDatabase = 4 * 1024 * 1024;

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
  const stated = app.app.workingDirectory || '/';
  const { passwd, group, mounts, workingDirectory } = await inRootfs(host, context, (syscalls, root) => {
    const read = (path: string): string | undefined =>
      readImageFile(syscalls, root, { path, limit: maxDatabase + 1 })?.toString();
    const resolve = (destination: string): string => resolveInRoot(syscalls, root, destination);
    for (const path of kernelPlaces) requireOrdinary(path, resolve(path));
    return {
      workingDirectory: isPath(stated) ? resolve(stated) : stated,
      passwd: read('/etc/passwd'),
      group: read('/etc/group'),
      mounts: context.mounts.map((mount) => ({ ...mount, destination: resolve(mount.destination) })),
    };
  });
  const user = resolveUser(passwd, group, {
    user: app.app.user,
    group: app.app.group,
    groupUnstated: isGroupUnstated(app),
    ...(app.app.supplementaryGIDs && { supplementaryGids: app.app.supplementaryGIDs }),
  });
  const namespace = (kind: string): { readonly path: string } => ({ path: `/proc/${pod.holder.pid}/ns/${kind}` });
  const terminalSize = host.terminalSize();
  const hostCapabilities = host.boundingSet();
  const spec = buildOciSpec({
    // Without links, so that one cannot lead where a working directory must not be (CVE-2024-21626).
    app: { ...app.app, workingDirectory },
    appName: app.name,
    podId: pod.id,
    rootfsPath: join(pod.dir, paths.rootfs),
    readOnlyRootfs: app.readOnlyRootFS ?? false,
    hostname: pod.hostname,
    terminal,
    ...(terminalSize && { terminalSize }),
    namespaces: {
      network: pod.hostNetwork ? 'host' : namespace('net'),
      ipc: namespace('ipc'),
      uts: namespace('uts'),
      pid: 'new',
    },
    mounts,
    cgroupsPath: `/rkt/${pod.id}/${app.name}`,
    user,
    environment: [...appEnvironment(app.app, { appName: app.name, user, terminal }), ...activation(listeners)],
    hostLimits: host.limits(),
    ...(hostCapabilities && { hostCapabilities }),
    insecure: pod.insecure,
    architecture: architecture(),
  });
  writeFileAtomically(join(pod.dir, paths.bundle, 'config.json'), JSON.stringify(spec));
  return spec;
}

/** sd_listen_fds(3). The app is the first process of its PID namespace. */
function activation(listeners: Listeners | undefined): readonly NameValue[] {
  if (listeners === undefined || listeners.fds.length === 0) return [];
  const { fds, names = [] } = listeners;
  return [
    { name: 'LISTEN_FDS', value: String(fds.length) },
    { name: 'LISTEN_PID', value: '1' },
    ...(names.length === 0 ? [] : [{ name: 'LISTEN_FDNAMES', value: names.join(':') }]),
  ];
}

/** Where every app gets file systems of the kernel's. */
const kernelPlaces: readonly string[] = ['/proc', '/dev', '/sys'];

/** Runtimes have followed such a link, and put on the host what belongs to the app (CVE-2019-19921, CVE-2026-41579). */
function requireOrdinary(path: string, resolved: string): void {
  if (path === resolved) return;
  const message = `${path} of the image is a symbolic link to ${quote(resolved)}, expected a directory`;
  throw new Stage1Error('ERR_RKT_STAGE1_MOUNT_INVALID', message);
}

/** What is none is refused with the rest of the app section. */
function isPath(text: string): boolean {
  return text.startsWith('/') && !text.includes('\0');
}

/** Docker's `USER` as the image had it: without a group, and still the user of the app. */
function isGroupUnstated({ app, annotations = [] }: RuntimeApp): boolean {
  const stated = annotations.find(({ name }) => name === 'appc.io/docker/user')?.value;
  return stated === app.user && !stated.includes(':') && app.group === app.user;
}

function architecture(): 'x64' | 'arm64' {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  const message = `there is no seccomp profile for architecture ${process.arch}, expected x64 or arm64`;
  throw new Stage1Error('ERR_RKT_STAGE1_RUNTIME_FAILED', message);
}
