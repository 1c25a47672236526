// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import type { OciSpecInput } from './input.ts';
import type { AppIsolators } from './isolators.ts';
import type { OciCapabilities } from './spec.ts';

/** capabilities(7), in the kernel's order; complete for Linux 5.9 to 6.18. */
export const knownCapabilities: readonly string[] = [
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE',
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN',
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE',
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE',
].flatMap((line) => line.split(' ').map((name) => `CAP_${name}`));

/** docs/decisions/0003-default-capabilities.md argues each that is here and each that is not. */
const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

/**
 * Everything the app can ever hold: the default set, or the retain set, less the remove set; never more than the caller
 * has, for the kernel would refuse to start the app; and without CAP_SYS_BOOT in a PID namespace that others are in.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_ISOLATOR_INVALID for an unknown name or both isolators at once
 */
export function boundingSet(input: OciSpecInput, isolators: AppIsolators): readonly string[] {
  const held = new Set(input.hostCapabilities ?? knownCapabilities);
  // reboot(2) kills the first process of the PID namespace, and everybody's apps with it where that is the pod's.
  if (typeof input.namespaces.pid === 'object') held.delete('CAP_SYS_BOOT');
  return wanted(isolators, input.insecure?.capabilities ?? false).filter((name) => held.has(name));
}

/**
 * Root gets the bounding set. Another user starts with nothing, as after login(1), unless the retain set asks for
 * capabilities: then they are ambient, the only way they survive the exec of a program without file capabilities.
 * Inheritable stays empty otherwise, so that files with inheritable capabilities do not elevate (CVE-2022-24769).
 */
export function processCapabilities(
  bounding: readonly string[],
  process: { readonly uid: number; readonly asked: readonly string[] | undefined },
): OciCapabilities {
  if (process.uid === 0) {
    return { bounding, effective: bounding, permitted: bounding, inheritable: [], ambient: [] };
  }
  const kept = process.asked === undefined ? [] : bounding;
  return { bounding, effective: kept, permitted: kept, inheritable: kept, ambient: kept };
}

function wanted(isolators: AppIsolators, unrestricted: boolean): readonly string[] {
  if (unrestricted) return knownCapabilities;
  const { capabilitiesRetain: retain, capabilitiesRemove: remove } = isolators;
  if (retain && remove) {
    throw invalid('os/linux/capabilities-retain-set and os/linux/capabilities-remove-set exclude each other');
  }
  if (retain) return [...new Set(retain.map(capability))];
  const removed = new Set((remove ?? []).map(capability));
  return defaultCapabilities.filter((name) => !removed.has(name));
}

function capability(name: string): string {
  const upper = name.toUpperCase();
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (!knownCapabilities.includes(full)) throw invalid(`unknown capability ${quote(name)}`);
  return full;
}

function invalid(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_ISOLATOR_INVALID', message);
}
