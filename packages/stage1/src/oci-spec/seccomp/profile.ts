// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../../error.ts';
import { quote } from '../../quote.ts';
import type { AppIsolators, SeccompSet } from '../isolators.ts';
import { argumentRules } from './argument-rules.ts';
import { ENOSYS, EPERM, errnoNumber } from './errno.ts';
import { isDefaultSet, syscallSet } from './syscall-sets.ts';
import {
  allowedSyscalls,
  architectureSyscalls,
  capabilitySyscalls,
  refusedSyscalls,
  startSyscalls,
} from './syscalls.ts';

/** OCI runtime specification 1.0.2, "Seccomp": `args`. `valueTwo` is the value to compare with for SCMP_CMP_MASKED_EQ. */
export interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_LT' | 'SCMP_CMP_GT' | 'SCMP_CMP_MASKED_EQ';
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

export interface SeccompProfile {
  readonly defaultAction: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

/** A 32-bit program on a 64-bit kernel enters through another door, which needs the same guard. */
const architectures: Readonly<Record<'x64' | 'arm64', readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/**
 * The filter of an app: the one its seccomp isolator states, or the default profile for its bounding set. Undefined when
 * the isolator lets everything through.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_ISOLATOR_INVALID for an unknown set or errno name
 */
export function seccompProfile(
  isolators: AppIsolators,
  bounding: readonly string[],
  architecture: 'x64' | 'arm64',
): SeccompProfile | undefined {
  const { seccomp } = isolators;
  if (seccomp) return statedProfile(seccomp, architectures[architecture]);
  return defaultProfile(bounding, architecture);
}

/**
 * What is allowed is listed, what is refused on purpose is listed and gets EPERM, and all the rest, system calls newer
 * than this list foremost, gets ENOSYS: a C library takes that for an older kernel and falls back, whereas EPERM would
 * fail the program. The runtime alone cannot tell the two apart with every libseccomp.
 */
function defaultProfile(bounding: readonly string[], architecture: 'x64' | 'arm64'): SeccompProfile {
  const granted = bounding.flatMap((name) => capabilitySyscalls[name] ?? []);
  const conditional = argumentRules(new Set(granted));
  const allowed = new Set([...allowedSyscalls, ...architectureSyscalls[architecture], ...granted]);
  const decided = new Set([...allowed, ...conditional.flatMap((rule) => rule.names)]);
  const refused = refusedSyscalls.filter((name) => !decided.has(name));
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    architectures: architectures[architecture],
    syscalls: [
      { names: [...allowed], action: 'SCMP_ACT_ALLOW' },
      ...conditional,
      { names: refused, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
    ],
  };
}

/** appc specification 0.8.11, "os/linux/seccomp-retain-set" and "-remove-set": a list of one's own instead of the default. */
function statedProfile(stated: SeccompSet, arches: readonly string[]): SeccompProfile | undefined {
  const errnoRet = errnoOf(stated.errno ?? 'EPERM');
  const sets = stated.set.map(syscallSet);
  const everything = sets.includes('all');
  const names = [...new Set(sets.flatMap((set) => (set === 'all' ? [] : set)))];
  if (stated.mode === 'retain') {
    if (everything) return undefined;
    return {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: errnoRet,
      architectures: arches,
      syscalls: [
        { names: [...new Set([...startSyscalls, ...names])], action: 'SCMP_ACT_ALLOW' },
        ...(stated.set.some(isDefaultSet) ? argumentRules(new Set(names)) : []),
      ],
    };
  }
  if (everything) return statedProfile({ ...stated, mode: 'retain', set: [] }, arches);
  if (names.length === 0) return undefined;
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: arches,
    syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet }],
  };
}

function errnoOf(name: string): number {
  const found = errnoNumber(name);
  if (found !== undefined) return found;
  throw new Stage1Error('ERR_RKT_STAGE1_ISOLATOR_INVALID', `seccomp isolator: unknown errno ${quote(name)}`);
}
