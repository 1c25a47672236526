// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Host, HostProcess, ProcessIdentity } from '../../host/index.ts';
import { ignoreSurvivors, killMembers } from '../../kill-members.ts';
import { removeTree } from '../../mounts/index.ts';
import { isIdentity, readTextFile } from '../../pod/index.ts';
import { quote } from '../../quote.ts';
import { globalArguments, type OciRuntime, takeRuntimeErrors } from './runtime-command.ts';
import { inRuntimeNamespace } from './runtime-namespace.ts';

const prefix = 'runtime-probe-';
const ownersFile = 'owners.json';
/** A probe takes less than a second; what is older than this many milliseconds is nobody's any more. */
const maxAgeMs = 600_000;

/** Runs `true` in a runtime. @returns why it does not work */
export async function probeRuntime(host: Host, dataDir: string, runtime: OciRuntime): Promise<string | undefined> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const scratch = mkdtempSync(join(dataDir, prefix));
  const name = basename(scratch);
  try {
    const child = await startProbe(host, runtime, scratch);
    const status = await child.exit;
    const log = join(scratch, 'log');
    return status === 0 ? undefined : quote(complaint(log, child.errorOutput()) ?? `exit status ${status}`, 300);
  } catch (error) {
    // One that is no program this machine executes, or mounts that cannot be made.
    return quote(error instanceof Error ? error.message : String(error), 300);
  } finally {
    host.cgroups.remove(cgroupOf(name));
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function startProbe(host: Host, runtime: OciRuntime, scratch: string): Promise<HostProcess> {
  const { syscalls } = await host.kernel();
  const name = basename(scratch);
  const rootfs = join(scratch, 'rootfs');
  mkdirSync(rootfs);
  writeFileSync(join(scratch, 'config.json'), JSON.stringify(probeSpec(rootfs, name)));
  const place = { root: join(scratch, 'root'), log: join(scratch, 'log') };
  writeOwners(host, scratch, [process.pid]);
  host.cgroups.make(cgroupOf(name));
  return await inRuntimeNamespace(host, runtime, () => {
    syscalls.mountBind({ source: '/', target: rootfs, recursive: false, readOnly: true });
    const child = host.processes.spawn({
      file: runtime.path,
      args: [...globalArguments(runtime, place), 'run', '--bundle', scratch, name],
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    writeOwners(host, scratch, [process.pid, child.pid]);
    return child;
  });
}

/** The process that probes, and the runtime it has started. */
function writeOwners({ processes }: Host, scratch: string, pids: readonly number[]): void {
  writeFileSync(join(scratch, ownersFile), JSON.stringify(pids.map((pid) => processes.identify(pid) ?? null)));
}

function readOwners(scratch: string): readonly ProcessIdentity[] {
  try {
    const value: unknown = JSON.parse(readTextFile(join(scratch, ownersFile)) ?? '[]');
    return Array.isArray(value) ? value.filter(isIdentity) : [];
  } catch {
    // Cut off while it was written.
    return [];
  }
}

/** Removes what trying a runtime left behind in a process that was killed: the runtime goes on without it. */
export async function removeProbes(host: Host, dataDir: string): Promise<void> {
  const names = existsSync(dataDir) ? readdirSync(dataDir) : [];
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const scratch = join(dataDir, name);
    const [prober, runtime] = readOwners(scratch);
    const since = statSync(scratch, { throwIfNoEntry: false })?.mtimeMs;
    const isOld = since !== undefined && Date.now() - since > maxAgeMs;
    if (prober === undefined ? !isOld : host.processes.isAlive(prober)) continue;
    if (runtime !== undefined) host.processes.signal(runtime, 'SIGKILL');
    try {
      await killMembers(host, { cgroup: cgroupOf(name), owner: `runtime probe ${name}` });
    } catch (error) {
      ignoreSurvivors(error);
      // Not before a later collection, by which they may have ended.
      continue;
    }
    host.cgroups.remove(cgroupOf(name));
    await removeTree(host, scratch);
  }
}

function cgroupOf(name: string): string {
  return join('rkt', name);
}

/** What it logged; a runtime that dies early, or that is something else, says on its standard error why. */
function complaint(log: string, output: string): string | undefined {
  const last = output.trim().split('\n').at(-1)?.trim();
  return takeRuntimeErrors(log).at(-1) ?? (last === '' ? undefined : last);
}

function probeSpec(rootfs: string, name: string): unknown {
  const namespaces = ['mount', 'pid', 'ipc', 'uts', 'network'].map((type) => ({ type }));
  return {
    ociVersion: '1.0.2',
    process: { user: { uid: 0, gid: 0 }, args: ['true'], env: ['PATH=/usr/bin:/bin'], cwd: '/', noNewPrivileges: true },
    root: { path: rootfs, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      // runc makes devices and links in it, which it cannot in a root that is read-only.
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    ],
    linux: {
      namespaces,
      cgroupsPath: `/${cgroupOf(name)}`,
      resources: { pids: { limit: 64 } },
      rootfsPropagation: 'private',
    },
  };
}
