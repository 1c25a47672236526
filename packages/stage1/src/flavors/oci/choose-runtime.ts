// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Stage1Error } from '../../error.ts';
import type { Host } from '../../host/index.ts';
import { readTextFile, writeFileAtomically } from '../../pod/index.ts';
import { probeRuntime } from './probe-runtime.ts';
import type { OciRuntime } from './runtime-command.ts';

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
  const candidates = candidatesOf(host);
  if (candidates.length === 0) throw missing(`found neither crun nor runc: ${packages}`);
  const key = keyOf(candidates);
  const file = join(dataDir, noteFile);
  const known = remembered(file, key, candidates);
  if (known !== undefined) return known;
  const reasons: string[] = [];
  for (const candidate of candidates) {
    const reason = await probeRuntime(host, dataDir, candidate);
    if (reason === undefined) {
      writeFileAtomically(file, JSON.stringify({ key, path: candidate.path }));
      return candidate;
    }
    reasons.push(`${candidate.path}: ${reason}`);
  }
  throw missing(`no runtime works on this host (${reasons.join('; ')}): ${packages}`);
}

/** The runtime that was found to work, or else would be tried first. Executes nothing. */
export function expectedRuntime(host: Host, dataDir: string): OciRuntime | undefined {
  const candidates = candidatesOf(host);
  return remembered(join(dataDir, noteFile), keyOf(candidates), candidates) ?? candidates[0];
}

const noteFile = 'runtime.json';

function candidatesOf(host: Host): readonly OciRuntime[] {
  return kinds.flatMap((kind) => {
    const path = host.findExecutable(kind);
    return path === undefined ? [] : [{ kind, path }];
  });
}

function keyOf(candidates: readonly OciRuntime[]): string {
  return JSON.stringify([bootId(), candidates.map(({ path }) => [path, statSync(path).mtimeMs])]);
}

/** A runtime stated by the caller, which is believed. */
export function statedRuntime(path: string): OciRuntime {
  return { kind: /crun[^/]*$/.test(path) ? 'crun' : 'runc', path };
}

function missing(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_RUNTIME_MISSING', message);
}

function remembered(file: string, key: string, candidates: readonly OciRuntime[]): OciRuntime | undefined {
  try {
    const text = readTextFile(file);
    if (text === undefined) return undefined;
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Reflect.get(value, 'key') !== key) return undefined;
    const path: unknown = Reflect.get(value, 'path');
    return candidates.find((candidate) => candidate.path === path);
  } catch {
    // Only a note to ourselves, and perhaps not to this user; it is written anew.
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
