// SPDX-License-Identifier: Apache-2.0
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Stage1Error } from '../../error.ts';
import type { Host } from '../../host/index.ts';
import { removeTree } from '../../mounts/index.ts';
import { readTextFile, writeFileAtomically } from '../../pod/index.ts';
import { quote } from '../../quote.ts';
import { globalArguments, type OciRuntime, takeRuntimeErrors } from './runtime-command.ts';

const packages = 'install the Debian package crun or runc';

/** The faster first. */
const kinds = ['crun', 'runc'] as const;

/**
 * The fastest runtime that works here, found by running `true` in it: versions do not tell whether one copes with the
 * host's cgroups. The answer is kept for as long as the kernel runs and the executables are the same.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_RUNTIME_MISSING
 */
export async function chooseRuntime(host: Host, dataDir: string): Promise<OciRuntime> {
  const candidates = kinds.flatMap((kind) => {
    const path = host.findExecutable(kind);
    return path === undefined ? [] : [{ kind, path }];
  });
  if (candidates.length === 0) throw missing(`found neither crun nor runc: ${packages}`);
  const key = JSON.stringify([bootId(), candidates.map(({ path }) => [path, statSync(path).mtimeMs])]);
  const file = join(dataDir, 'runtime.json');
  const known = remembered(file, key, candidates);
  if (known !== undefined) return known;
  const reasons: string[] = [];
  for (const candidate of candidates) {
    const reason = await tryRuntime(host, dataDir, candidate);
    if (reason === undefined) {
      writeFileAtomically(file, JSON.stringify({ key, path: candidate.path }));
      return candidate;
    }
    reasons.push(`${candidate.path}: ${reason}`);
  }
  throw missing(`no runtime works on this host (${reasons.join('; ')}): ${packages}`);
}

/** A runtime stated by the caller, which is believed. */
export function statedRuntime(path: string): OciRuntime {
  return { kind: /crun[^/]*$/.test(path) ? 'crun' : 'runc', path };
}

function missing(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_RUNTIME_MISSING', message);
}

function remembered(file: string, key: string, candidates: readonly OciRuntime[]): OciRuntime | undefined {
  const text = readTextFile(file);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Reflect.get(value, 'key') !== key) return undefined;
    const path: unknown = Reflect.get(value, 'path');
    return candidates.find((candidate) => candidate.path === path);
  } catch {
    // Only a note to ourselves; it is written anew.
    return undefined;
  }
}

const probePrefix = 'runtime-probe-';
/** A probe takes less than a second; what is older than this many milliseconds is nobody's any more. */
const probeAgeMs = 600_000;

/** Removes what trying a runtime left behind in a process that was killed. */
export async function removeProbes(host: Host, dataDir: string): Promise<void> {
  const names = existsSync(dataDir) ? readdirSync(dataDir) : [];
  for (const path of names.filter((name) => name.startsWith(probePrefix)).map((name) => join(dataDir, name))) {
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && Date.now() - since > probeAgeMs) await removeTree(host, path);
  }
}

/** @returns why it does not work */
async function tryRuntime(host: Host, dataDir: string, runtime: OciRuntime): Promise<string | undefined> {
  mkdirSync(dataDir, { recursive: true });
  const scratch = mkdtempSync(join(dataDir, probePrefix));
  const name = `probe-${process.pid}`;
  try {
    const { syscalls, namespaces } = await host.kernel();
    const rootfs = join(scratch, 'rootfs');
    mkdirSync(rootfs);
    writeFileSync(join(scratch, 'config.json'), JSON.stringify(probeSpec(rootfs, name)));
    const place = { root: join(scratch, 'root'), log: join(scratch, 'log') };
    const child = namespaces.inNew(['mnt'], () => {
      syscalls.makeSlave();
      hideHybridMount(host, runtime, syscalls);
      syscalls.mountBind({ source: '/', target: rootfs, recursive: false, readOnly: true });
      return host.processes.spawn({
        file: runtime.path,
        args: [...globalArguments(runtime, place), 'run', '--bundle', scratch, name],
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true,
      });
    });
    const status = await child.exit;
    return status === 0 ? undefined : quote(complaint(place.log, child.errorOutput()) ?? `exit status ${status}`, 300);
  } catch (error) {
    // One that is no program this machine executes, or mounts that cannot be made.
    return quote(error instanceof Error ? error.message : String(error), 300);
  } finally {
    host.cgroups.remove(join('rkt', name));
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What it logged; a runtime that dies early, or that is something else, says on its standard error why. */
function complaint(log: string, output: string): string | undefined {
  const last = output.trim().split('\n').at(-1)?.trim();
  return takeRuntimeErrors(log).at(-1) ?? (last === '' ? undefined : last);
}

/**
 * crun before 1.9 refuses a host that has version 1 controllers and a unified tree. Out of its sight, in a mount namespace
 * of ours, the unified tree does not disturb it.
 */
export function hideHybridMount(host: Host, { kind }: OciRuntime, syscalls: { unmount(target: string): void }): void {
  const { hybridMount } = host.cgroups;
  if (kind === 'crun' && hybridMount !== undefined) syscalls.unmount(hybridMount);
}

/** Works in a mount namespace that shows what the host's does, but for what disturbs the runtime. */
export async function inRuntimeNamespace<T>(host: Host, runtime: OciRuntime, work: () => T): Promise<T> {
  const { syscalls, namespaces } = await host.kernel();
  return namespaces.inNew(['mnt'], () => {
    syscalls.makeSlave();
    hideHybridMount(host, runtime, syscalls);
    return work();
  });
}

function probeSpec(rootfs: string, name: string): unknown {
  const namespaces = ['mount', 'pid', 'ipc', 'uts', 'network'].map((type) => ({ type }));
  return {
    ociVersion: '1.0.2',
    process: { user: { uid: 0, gid: 0 }, args: ['true'], env: ['PATH=/usr/bin:/bin'], cwd: '/', noNewPrivileges: true },
    root: { path: rootfs, readonly: true },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: {
      namespaces,
      cgroupsPath: `/rkt/${name}`,
      resources: { pids: { limit: 64 } },
      rootfsPropagation: 'private',
    },
  };
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
