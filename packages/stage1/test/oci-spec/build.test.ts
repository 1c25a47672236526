// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { buildOciSpec } from '../../src/oci-spec/index.ts';
import { specInput } from './input.ts';

const code = (suffix: string) => expect.objectContaining({ code: `ERR_RKT_STAGE1_${suffix}` });
const isolator = (name: string, value: unknown) => ({ isolators: [{ name, value }] });

describe('the process', () => {
  it('runs the exec with the environment as given, in / when the app names no directory', () => {
    const { process } = buildOciSpec(specInput({ exec: ['/bin/echo', 'a b', ''] }));
    expect(process.args).toEqual(['/bin/echo', 'a b', '']);
    expect(process.env).toEqual(['PATH=/bin']);
    expect(process.cwd).toBe('/');
    expect(process).not.toHaveProperty('oomScoreAdj');
    expect(process.noNewPrivileges).toBe(false);
  });

  it.each([[[]], [['']], [['/bin/sh', 'a\0b']]])('refuses the exec %j', (exec) => {
    expect(() => buildOciSpec(specInput({ exec }))).toThrow(code('APP_INVALID'));
  });

  it.each([
    'relative',
    '/a\0b',
    '/proc/self/fd/7',
    '/proc/self/../self/fd/8',
    '/./proc//thread-self/cwd',
    '/proc/1/root',
    '/dev/fd/7',
  ])('refuses the working directory %j', (workingDirectory) => {
    expect(() => buildOciSpec(specInput({ workingDirectory }))).toThrow(code('APP_INVALID'));
  });

  it('sanitises what it quotes', () => {
    const run = () => buildOciSpec(specInput({ workingDirectory: `x\u001b[31m\u202e${'y'.repeat(5000)}` }));
    expect(run).toThrow(/^working directory "x\ufffd\[31m\ufffdy{1,120}…"/);
  });

  it('never asks for a soft limit above the hard one', () => {
    const hostLimits = { nofile: { soft: 50_000, hard: 20_000 }, nproc: { soft: 10, hard: 20 } };
    expect(buildOciSpec(specInput({}, { hostLimits })).process.rlimits).toEqual([
      { type: 'RLIMIT_NOFILE', soft: 20_000, hard: 20_000 },
      { type: 'RLIMIT_NPROC', soft: 10, hard: 20 },
    ]);
  });

  it('takes no_new_privs and the OOM score from isolators', () => {
    const isolators = [
      { name: 'os/linux/no-new-privileges', value: true },
      { name: 'os/linux/oom-score-adj', value: 500 },
    ];
    expect(buildOciSpec(specInput({ isolators })).process).toMatchObject({ noNewPrivileges: true, oomScoreAdj: 500 });
  });
});

describe('namespaces', () => {
  it('joins a user namespace, says whose users it has, and asks for no group it has not', () => {
    const user = { path: '/ns/user', users: { first: 1_048_576, count: 65_536 } };
    const { namespaces } = specInput();
    const { linux, mounts } = buildOciSpec(specInput({}, { namespaces: { ...namespaces, user } }));
    expect(linux.namespaces).toContainEqual({ type: 'user', path: '/ns/user' });
    const mappings = [{ containerID: 0, hostID: 1_048_576, size: 65_536 }];
    expect(linux).toMatchObject({ uidMappings: mappings, gidMappings: mappings });
    expect(linux.sysctl?.['net.ipv4.ping_group_range']).toBe('0 65535');
    expect(mounts.find(({ destination }) => destination === '/sys')?.type).toBe('sysfs');
    expect(buildOciSpec(specInput()).linux).not.toHaveProperty('uidMappings');
  });

  it('shows the host’s /sys, unwritable throughout, where a user namespace has the host’s network', () => {
    const user = { path: '/ns/user', users: { first: 1_048_576, count: 65_536 } };
    const namespaces = { ...specInput().namespaces, network: 'host', user } as const;
    const { mounts } = buildOciSpec(specInput({}, { namespaces }));
    const places = mounts.map(({ destination }) => destination);
    expect(mounts.find(({ destination }) => destination === '/sys')).toMatchObject({ type: 'bind', source: '/sys' });
    expect(mounts.find(({ destination }) => destination === '/sys')?.options).toContain('rro');
    expect(places.indexOf('/sys')).toBeLessThan(places.indexOf('/sys/fs/cgroup'));
    const own = { destination: '/sys', type: 'tmpfs', source: 'tmpfs', options: [] };
    const replaced = buildOciSpec(specInput({}, { namespaces, mounts: [own] })).mounts;
    expect(replaced.filter(({ destination }) => destination === '/sys')).toEqual([own]);
  });

  it('joins those with a path, makes new ones, and leaves out the host’s', () => {
    const namespaces = { network: 'host', ipc: { path: '/ns/ipc' }, uts: 'host', pid: 'new' } as const;
    const spec = buildOciSpec(specInput({}, { namespaces }));
    expect(spec.linux.namespaces).toEqual([
      { type: 'mount' },
      { type: 'cgroup' },
      { type: 'pid' },
      { type: 'ipc', path: '/ns/ipc' },
    ]);
    expect(spec).not.toHaveProperty('hostname');
  });

  it('changes network settings only in a namespace that is not the host’s', () => {
    const namespaces = { ...specInput().namespaces, network: 'host' } as const;
    expect(buildOciSpec(specInput({}, { namespaces })).linux.sysctl).toBeUndefined();
    expect(buildOciSpec(specInput()).linux.sysctl).toMatchObject({ 'net.ipv4.ping_group_range': '0 2147483647' });
  });
});

describe('resources', () => {
  it('denies every device first, then allows the standard ones', () => {
    const { devices } = buildOciSpec(specInput()).linux.resources;
    expect(devices[0]).toEqual({ allow: false, access: 'rwm' });
    expect(devices).toContainEqual({ allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' });
    expect(devices.filter(({ allow, access, type }) => allow && type === 'b' && access !== 'm')).toEqual([]);
  });

  it.each([
    ['resource/memory', { limit: '16Mi' }, { memory: { limit: 16_777_216 } }],
    ['resource/memory', { limit: '1G', request: '1M' }, { memory: { limit: 1e9 } }],
    ['resource/memory', { limit: 65_536 }, { memory: { limit: 65_536 } }],
    ['resource/cpu', { limit: '500m' }, { cpu: { quota: 50_000, period: 100_000 } }],
    ['resource/cpu', { limit: '1.5' }, { cpu: { quota: 150_000, period: 100_000 } }],
    ['resource/cpu', { limit: '1m' }, { cpu: { quota: 1000, period: 100_000 } }],
    ['os/linux/cpu-shares', 512, { cpu: { shares: 512 } }],
    ['resource/pids', { limit: 64 }, { pids: { limit: 64 } }],
  ])('%s %j', (name, value, expected) => {
    expect(buildOciSpec(specInput(isolator(name, value))).linux.resources).toMatchObject(expected);
  });

  it.each([
    ['resource/memory', { limit: '4095' }],
    ['resource/memory', { limit: '-1' }],
    ['resource/memory', { limit: '9999999P' }],
    ['resource/memory', { limit: '1e3' }],
    ['resource/memory', { limit: null }],
    ['resource/memory', '16Mi'],
    ['resource/cpu', { limit: '0' }],
    ['os/linux/cpu-shares', 1],
    ['os/linux/oom-score-adj', 1001],
    ['os/linux/no-new-privileges', 'yes'],
    ['os/linux/capabilities-retain-set', { set: 'CAP_KILL' }],
    ['os/linux/capabilities-retain-set', { set: ['CAP_NO_SUCH'] }],
    ['os/linux/seccomp-retain-set', { set: ['open; rm -rf'] }],
    ['os/linux/seccomp-retain-set', { set: ['@no/such-set'] }],
    ['os/linux/seccomp-retain-set', { set: ['@systemd/__proto__'] }],
    ['os/linux/seccomp-remove-set', { set: ['mount'], errno: 'ENOSUCH' }],
    ['os/linux/seccomp-remove-set', { set: Array.from({ length: 1025 }, () => 'mount') }],
  ])('refuses %s %j', (name, value) => {
    expect(() => buildOciSpec(specInput(isolator(name, value)))).toThrow(code('ISOLATOR_INVALID'));
  });

  it('ignores isolators it does not know', () => {
    expect(() => buildOciSpec(specInput(isolator('example.com/new', { any: 'thing' })))).not.toThrow();
  });
});

describe('capabilities', () => {
  const root = (app = {}, overrides = {}) => buildOciSpec(specInput(app, overrides)).process.capabilities;
  const user = { uid: 1000, gid: 1000, additionalGids: [], home: '/' };

  it('gives root the eleven of the decision, none inheritable', () => {
    const { bounding, effective, permitted, inheritable, ambient } = root();
    expect(bounding).toHaveLength(11);
    expect(bounding).not.toContain('CAP_NET_RAW');
    expect({ effective, permitted }).toEqual({ effective: bounding, permitted: bounding });
    expect({ inheritable, ambient }).toEqual({ inheritable: [], ambient: [] });
  });

  it('gives another user none to start with', () => {
    expect(root({}, { user })).toMatchObject({ effective: [], permitted: [], inheritable: [], ambient: [] });
  });

  it('leaves CAP_SYS_BOOT out where reboot(2) would end the apps of others, whoever asks for it', () => {
    const app = isolator('os/linux/capabilities-retain-set', { set: ['CAP_SYS_BOOT', 'CAP_KILL'] });
    const { namespaces } = specInput();
    const shared = { namespaces: { ...namespaces, pid: { path: '/ns/pid' } } };
    expect(root(app, shared).bounding).toEqual(['CAP_KILL']);
    expect(root({}, { ...shared, insecure: { capabilities: true } }).bounding).not.toContain('CAP_SYS_BOOT');
    expect(root(app, { namespaces: { ...namespaces, pid: 'new' } }).bounding).toEqual(['CAP_SYS_BOOT', 'CAP_KILL']);
  });

  it('makes what the retain set asks for ambient for another user', () => {
    const app = isolator('os/linux/capabilities-retain-set', { set: ['CAP_NET_ADMIN', 'net_raw'] });
    const names = ['CAP_NET_ADMIN', 'CAP_NET_RAW'];
    const all = { bounding: names, effective: names, permitted: names, inheritable: names, ambient: names };
    expect(root(app, { user })).toEqual(all);
  });

  it('takes the remove set from the default', () => {
    const app = isolator('os/linux/capabilities-remove-set', { set: ['CAP_CHOWN', 'CAP_SYS_ADMIN'] });
    expect(root(app).bounding).toHaveLength(10);
  });

  it('refuses both sets at once', () => {
    const isolators = ['retain', 'remove'].map((mode) => ({
      name: `os/linux/capabilities-${mode}-set`,
      value: { set: [] },
    }));
    expect(() => root({ isolators })).toThrow(code('ISOLATOR_INVALID'));
  });

  it('never asks for more than the caller holds', () => {
    expect(root({}, { hostCapabilities: ['CAP_CHOWN'] }).permitted).toEqual(['CAP_CHOWN']);
    const unlimited = root({}, { insecure: { capabilities: true }, hostCapabilities: ['CAP_CHOWN', 'CAP_SYS_ADMIN'] });
    expect(unlimited.permitted).toEqual(['CAP_CHOWN', 'CAP_SYS_ADMIN']);
    expect(root({}, { insecure: { capabilities: true } }).bounding).toHaveLength(41);
  });
});

describe('mounts', () => {
  const destinations = (paths: readonly string[]) => {
    const mounts = paths.map((destination) => ({ destination, type: 'bind', source: '/x', options: [] }));
    return buildOciSpec(specInput({}, { mounts })).mounts.map((mount) => mount.destination);
  };

  it('puts the pod’s after the standard ones, parents before children', () => {
    expect(destinations(['/data/cache/x', '/etc/resolv.conf', '/data/'])).toEqual([
      ...['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue', '/sys', '/sys/fs/cgroup'],
      ...['/data', '/etc/resolv.conf', '/data/cache/x'],
    ]);
  });

  it('lets the pod share /dev/shm and replace /sys with everything in it', () => {
    const found = destinations(['/dev/shm', '/sys']);
    expect(found).toEqual(['/proc', '/dev', '/dev/pts', '/dev/mqueue', '/sys', '/dev/shm']);
  });

  it.each(['/', '//', '/proc', '/proc/sys', '/x/../proc/self', '/dev', '/dev/.', '/dev/pts', 'data', '', '/a\0b'])(
    'refuses the destination %j',
    (destination) => {
      expect(() => destinations([destination])).toThrow(code('MOUNT_INVALID'));
    },
  );
});

describe('protected paths', () => {
  it('are there unless they are waived', () => {
    expect(buildOciSpec(specInput()).linux.maskedPaths).toContain('/proc/kcore');
    expect(buildOciSpec(specInput()).linux.readonlyPaths).toContain('/proc/sysrq-trigger');
    const waived = buildOciSpec(specInput({}, { insecure: { paths: true } })).linux;
    expect([waived.maskedPaths, waived.readonlyPaths]).toEqual([[], []]);
  });
});

describe('annotations', () => {
  it('never give a runtime orders', () => {
    const annotations = { 'example.com/team': 'a', 'run.oci.hooks.stdout': '/x', 'org.systemd.property.CPUQuota': '1' };
    expect(buildOciSpec(specInput({}, { annotations })).annotations).toEqual({ 'example.com/team': 'a' });
    expect(buildOciSpec(specInput())).not.toHaveProperty('annotations');
  });
});
