// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { buildOciSpec, type OciSpecInput, type SeccompRule } from '../../src/oci-spec/index.ts';
import { specInput } from './input.ts';

const { EPERM, ENOSYS, EAFNOSUPPORT } = constants.errno;
const profile = (isolators: OciSpecInput['app']['isolators'] = [], overrides: Partial<OciSpecInput> = {}) =>
  buildOciSpec(specInput({ isolators }, overrides)).linux.seccomp;
const retainCapabilities = (...set: string[]) => [{ name: 'os/linux/capabilities-retain-set', value: { set } }];

/** What the kernel would answer: libseccomp gives a rule whose arguments match precedence over the default action. */
function verdict(name: string, first = 0, options: Parameters<typeof profile> = []): 'allow' | number | undefined {
  const found = profile(...options);
  if (!found) return 'allow';
  const matching = found.syscalls.filter((rule) => rule.names.includes(name) && matches(rule, first));
  expect(new Set(matching.map(({ action }) => action)).size, `contradicting rules for ${name}`).toBeLessThan(2);
  const rule = matching[0];
  if (rule) return rule.action === 'SCMP_ACT_ALLOW' ? 'allow' : rule.errnoRet;
  return found.defaultAction === 'SCMP_ACT_ALLOW' ? 'allow' : found.defaultErrnoRet;
}

function matches({ args = [] }: SeccompRule, first: number): boolean {
  return args.every(({ op, value, valueTwo }) => {
    if (op === 'SCMP_CMP_EQ') return first === value;
    if (op === 'SCMP_CMP_LT') return first < value;
    if (op === 'SCMP_CMP_GT') return first > value;
    return (BigInt(first) & BigInt(value)) === BigInt(valueTwo ?? 0);
  });
}

describe('the default profile', () => {
  it.each(['read', 'openat', 'execve', 'futex', 'chroot', 'statx', 'landlock_restrict_self', 'arch_prctl'])(
    'allows %s',
    (name) => {
      expect(verdict(name)).toBe('allow');
    },
  );

  it.each([
    ...['mount', 'umount2', 'setns', 'unshare', 'bpf', 'perf_event_open', 'keyctl', 'add_key', 'kexec_load', 'reboot'],
    ...['init_module', 'io_uring_setup', 'userfaultfd', 'open_by_handle_at', 'pivot_root', 'swapon', 'settimeofday'],
  ])('refuses %s with EPERM', (name) => {
    expect(verdict(name)).toBe(EPERM);
  });

  it('answers ENOSYS to system calls it does not know, so that C libraries fall back', () => {
    expect(verdict('a_call_of_2031')).toBe(ENOSYS);
    expect(verdict('clone3')).toBe(ENOSYS);
  });

  it('allows threads and processes, and no new namespaces', () => {
    expect(verdict('clone', 0x003d_0f00)).toBe('allow');
    expect(verdict('clone', constants.signals.SIGCHLD)).toBe('allow');
    for (const flag of [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]) {
      expect(verdict('clone', flag + 17), `flag ${flag.toString(16)}`).toBe(EPERM);
    }
  });

  it('allows sockets but for the kernel’s crypto interface and the hypervisor', () => {
    for (const family of [1, 2, 10, 16, 17, 37, 39, 41, 44]) expect(verdict('socket', family)).toBe('allow');
    for (const family of [38, 40]) expect(verdict('socket', family)).toBe(EAFNOSUPPORT);
  });

  it('allows the ordinary personalities only', () => {
    for (const personality of [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff]) {
      expect(verdict('personality', personality)).toBe('allow');
    }
    expect(verdict('personality', 0x40_0000)).not.toBe('allow');
  });

  it('follows the bounding set', () => {
    const admin = retainCapabilities('CAP_SYS_ADMIN');
    for (const name of ['mount', 'clone3', 'unshare']) expect(verdict(name, 0x1000_0000, [admin])).toBe('allow');
    expect(verdict('clone', 0x1000_0000, [admin])).toBe('allow');
    expect(verdict('chroot', 0, [admin])).toBe(EPERM);
    expect(verdict('settimeofday', 0, [retainCapabilities('CAP_SYS_TIME')])).toBe('allow');
    expect(verdict('mount', 0, [admin, { hostCapabilities: ['CAP_CHOWN'] }])).toBe(EPERM);
  });

  it('guards every door into the kernel an architecture has', () => {
    expect(profile()?.architectures).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
    expect(profile([], { architecture: 'arm64' })?.architectures).toEqual(['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
    expect(verdict('arch_prctl', 0, [[], { architecture: 'arm64' }])).not.toBe('allow');
  });

  it('names no system call twice without arguments', () => {
    const names =
      profile()
        ?.syscalls.filter((rule) => !rule.args)
        .flatMap((rule) => rule.names) ?? [];
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('can be waived', () => {
    expect(profile([], { insecure: { seccomp: true } })).toBeUndefined();
  });
});

describe('seccomp isolators', () => {
  const stated = (mode: string, value: unknown) => [{ name: `os/linux/seccomp-${mode}-set`, value }];

  it('retain: nothing but the set, with the errno asked for', () => {
    const isolators = stated('retain', { set: ['read', '@systemd/clock'], errno: 'ENOTSUP' });
    expect(verdict('read', 0, [isolators])).toBe('allow');
    expect(verdict('settimeofday', 0, [isolators])).toBe('allow');
    expect(verdict('sendto', 0, [isolators])).toBe(constants.errno.ENOTSUP);
  });

  it('retain always has what a runtime needs to start the app', () => {
    const isolators = stated('retain', { set: [] });
    for (const name of ['execve', 'capset', 'futex', 'close']) expect(verdict(name, 0, [isolators])).toBe('allow');
    for (const name of ['socket', 'clone', 'ptrace']) expect(verdict(name, 0, [isolators])).toBe(EPERM);
  });

  it('retain with the default set keeps the rules about arguments', () => {
    const isolators = stated('retain', { set: ['@docker/default-whitelist', 'mount'] });
    expect(verdict('mount', 0, [isolators])).toBe('allow');
    expect(verdict('clone', 0x1000_0000, [isolators])).toBe(EPERM);
    expect(verdict('socket', 2, [isolators])).toBe('allow');
    expect(verdict('socket', 38, [isolators])).toBe(EAFNOSUPPORT);
  });

  it('remove: everything but the set', () => {
    const isolators = stated('remove', { set: ['@rkt/default-blacklist'] });
    expect(verdict('mount', 0, [isolators])).toBe(EPERM);
    expect(verdict('a_call_of_2031', 0, [isolators])).toBe('allow');
  });

  it('@appc.io/all and @appc.io/empty mean what they say', () => {
    expect(profile(stated('retain', { set: ['@appc.io/all'] }))).toBeUndefined();
    expect(profile(stated('remove', { set: ['@appc.io/empty'] }))).toBeUndefined();
    expect(verdict('socket', 0, [stated('remove', { set: ['@appc.io/all'] })])).toBe(EPERM);
    expect(verdict('socket', 0, [stated('retain', { set: ['@appc.io/empty'] })])).toBe(EPERM);
  });

  it('refuses both at once', () => {
    const isolators = [...stated('retain', { set: [] }), ...stated('remove', { set: [] })];
    expect(() => profile(isolators)).toThrow(/exclude each other/);
  });
});
