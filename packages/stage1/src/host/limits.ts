// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { type HostLimits, knownCapabilities, type ResourceLimit } from '../oci-spec/index.ts';

/**
 * What this process may use. Of open files the parent's soft limit counts: a JavaScript engine raises its own when it
 * starts.
 */
export function readHostLimits(): HostLimits {
  const own = readFileSync('/proc/self/limits', 'latin1');
  const nofile = limitOf(own, 'Max open files') ?? { soft: 1024, hard: 1024 };
  const nproc = limitOf(own, 'Max processes');
  return {
    nofile: { soft: parentSoftLimit() ?? nofile.soft, hard: nofile.hard },
    ...(nproc && { nproc }),
    argumentBytes: argumentBytes(own),
  };
}

const leastArgumentBytes = 131_072;
const mostArgumentBytes = 6 * 1024 * 1024;

/** execve(2), "Limits on size": a quarter of the stack, which runtimes hand on as it is. */
function argumentBytes(limits: string): number {
  const stack = Number(/^Max stack size\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  return Math.max(leastArgumentBytes, Math.min(mostArgumentBytes, Math.floor(stack / 4)));
}

/** Names of the capabilities in our bounding set, `CAP_…`; undefined when the kernel does not say. */
export function readBoundingSet(): readonly string[] | undefined {
  const bits = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  if (bits === undefined) return undefined;
  const held = BigInt(`0x${bits}`);
  return knownCapabilities.filter((_, index) => (held >> BigInt(index)) % 2n === 1n);
}

function parentSoftLimit(): number | undefined {
  try {
    return limitOf(readFileSync(`/proc/${process.ppid}/limits`, 'latin1'), 'Max open files')?.soft;
  } catch {
    // The parent may belong to somebody else, or be outside of our PID namespace.
    return undefined;
  }
}

/** Undefined when there is no limit. */
function limitOf(text: string, name: string): ResourceLimit | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(name));
  const [soft, hard] = line?.slice(name.length).trim().split(/\s+/) ?? [];
  if (soft === undefined || hard === undefined || !/^\d+$/.test(hard)) return undefined;
  return { soft: /^\d+$/.test(soft) ? Number(soft) : Number(hard), hard: Number(hard) };
}
