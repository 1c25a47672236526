// SPDX-License-Identifier: Apache-2.0
import { EAFNOSUPPORT, ENOSYS, EPERM } from './errno.ts';
import type { SeccompRule } from './profile.ts';

/** clone(2): CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const namespaceFlags: readonly number[] = [
  0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
];

/** personality(2): Linux, Linux without randomisation, the 32-bit ones of both, and 0xffffffff, which only asks. */
const personalities: readonly number[] = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/** address_families(7). */
const AF_ALG = 38;
const AF_VSOCK = 40;

/** System calls whose first argument decides, and clone3, whose argument a filter cannot read; less those granted outright. */
export function argumentRules(granted: ReadonlySet<string>): readonly SeccompRule[] {
  return [...socketRules(), ...personalityRules(), ...(granted.has('clone') ? [] : cloneRules())].filter(
    ({ names }) => !names.some((name) => granted.has(name)),
  );
}

/**
 * AF_ALG is the kernel's crypto interface (no ordinary program needs it, local root exploits did), AF_VSOCK reaches the
 * hypervisor past every network namespace. One comparison per rule: runc takes several for alternatives, crun for a
 * conjunction. socketcall(2) of 32-bit x86 passes its arguments by pointer and so escapes this.
 */
function socketRules(): readonly SeccompRule[] {
  const allow = (op: 'SCMP_CMP_LT' | 'SCMP_CMP_EQ' | 'SCMP_CMP_GT', value: number): SeccompRule => ({
    names: ['socket'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value, op }],
  });
  return [
    allow('SCMP_CMP_LT', AF_ALG),
    allow('SCMP_CMP_EQ', AF_ALG + 1),
    allow('SCMP_CMP_GT', AF_VSOCK),
    ...[AF_ALG, AF_VSOCK].map(
      (value): SeccompRule => ({
        names: ['socket'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EAFNOSUPPORT,
        args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
      }),
    ),
  ];
}

function personalityRules(): readonly SeccompRule[] {
  return personalities.map((value) => ({
    names: ['personality'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
  }));
}

/** Threads and processes, but no namespaces. clone3 answers ENOSYS, upon which C libraries use clone. */
function cloneRules(): readonly SeccompRule[] {
  const mask = namespaceFlags.reduce((sum, flag) => sum + flag, 0);
  return [
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: mask, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    ...namespaceFlags.map(
      (flag): SeccompRule => ({
        names: ['clone'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EPERM,
        args: [{ index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }],
      }),
    ),
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ];
}
