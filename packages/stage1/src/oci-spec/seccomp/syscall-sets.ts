// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../../error.ts';
import { quote } from '../../quote.ts';
import { allowedSyscalls, architectureSyscalls, refusedSyscalls } from './syscalls.ts';

const defaultAllowed: readonly string[] = [...allowedSyscalls, ...Object.values(architectureSyscalls).flat(), 'chroot'];

const defaultSets: ReadonlySet<string> = new Set(['@rkt/default-whitelist', '@docker/default-whitelist']);

/** True for the sets of the default profile, which the rules that look at arguments belong to. */
export function isDefaultSet(entry: string): boolean {
  return defaultSets.has(entry);
}

/** Named sets an isolator may use. The `@systemd` ones follow the groups systemd.exec(5) documents. */
const sets: Readonly<Record<string, readonly string[]>> = {
  '@appc.io/empty': [],
  '@rkt/default-whitelist': defaultAllowed,
  '@docker/default-whitelist': defaultAllowed,
  '@rkt/default-blacklist': refusedSyscalls,
  '@docker/default-blacklist': refusedSyscalls,
  '@systemd/clock': [
    'adjtimex',
    'clock_adjtime',
    'clock_adjtime64',
    'clock_settime',
    'clock_settime64',
    'settimeofday',
    'stime',
  ],
  '@systemd/cpu-emulation': ['modify_ldt', 'subpage_prot', 'switch_endian', 'vm86', 'vm86old'],
  '@systemd/debug': ['lookup_dcookie', 'perf_event_open', 'pidfd_getfd', 'ptrace', 'rtas', 'sys_debug_setcontext'],
  '@systemd/keyring': ['add_key', 'keyctl', 'request_key'],
  '@systemd/module': ['delete_module', 'finit_module', 'init_module'],
  '@systemd/mount': [
    ...['chroot', 'fsconfig', 'fsmount', 'fsopen', 'fspick', 'mount', 'mount_setattr', 'move_mount'],
    ...['open_tree', 'pivot_root', 'umount', 'umount2'],
  ],
  '@systemd/network-io': [
    ...[
      'accept',
      'accept4',
      'bind',
      'connect',
      'getpeername',
      'getsockname',
      'getsockopt',
      'listen',
      'recv',
      'recvfrom',
    ],
    ...['recvmmsg', 'recvmmsg_time64', 'recvmsg', 'send', 'sendmmsg', 'sendmsg', 'sendto', 'setsockopt', 'shutdown'],
    ...['socket', 'socketcall', 'socketpair'],
  ],
  '@systemd/raw-io': ['ioperm', 'iopl', 'pciconfig_iobase', 'pciconfig_read', 'pciconfig_write'],
  '@systemd/reboot': ['kexec_file_load', 'kexec_load', 'reboot'],
  '@systemd/swap': ['swapoff', 'swapon'],
};

/**
 * The system calls an entry of a seccomp isolator stands for: itself, or those of a named set. A name no kernel has is
 * skipped by the runtime.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_ISOLATOR_INVALID for an unknown set
 */
export function syscallSet(entry: string): readonly string[] | 'all' {
  if (entry === '@appc.io/all') return 'all';
  if (!entry.startsWith('@')) return [entry];
  const set = Object.hasOwn(sets, entry) ? sets[entry] : undefined;
  if (set) return set;
  const known = ['@appc.io/all', ...Object.keys(sets)].join(', ');
  throw new Stage1Error('ERR_RKT_STAGE1_ISOLATOR_INVALID', `unknown seccomp set ${quote(entry)}; known: ${known}`);
}
