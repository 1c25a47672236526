// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { appEnvironment, buildOciSpec, type OciSpecInput, resolveUser } from '../../src/oci-spec/index.ts';
import { newNamespace } from '../networking/private-host.ts';
import { specInput } from './input.ts';

/** crun 1.8 does not run where version 1 controllers and a unified tree are mixed; without the tree it sees plain version 1. */
const withoutHybridTree = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"';

/** Capability names by bit, so that the test reads the kernel's answer and not our list. */
const capabilityBits = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH'];

async function run(runtime: string, overrides: Partial<OciSpecInput>, script: string): Promise<string> {
  const bundle = await mkdtemp(join(tmpdir(), 'rkt-oci-'));
  try {
    const rootfs = join(bundle, 'rootfs');
    for (const dir of ['usr', 'etc', 'proc', 'dev', 'sys', 'tmp', 'data'])
      await mkdir(join(rootfs, dir), { recursive: true });
    for (const dir of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${dir}`, join(rootfs, dir));
    const input = specInput(
      { exec: ['/bin/sh', '-c', script], ...overrides.app },
      { ...defaults(rootfs), ...overrides },
    );
    const environment = appEnvironment(input.app, { appName: input.appName, user: input.user });
    const app = { ...input.app, exec: ['/bin/sh', '-c', script] };
    await writeFile(join(bundle, 'config.json'), JSON.stringify(buildOciSpec({ ...input, app, environment })));
    const command = [runtime, 'run', '--bundle', bundle, `rkt-test-${randomUUID()}`];
    const { stdout, stderr, status } = spawnSync('unshare', ['-m', 'sh', '-c', withoutHybridTree, 'sh', ...command], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(`${status} ${stderr}`, 'status and standard error').toMatch(/^0 /);
    return stdout.trim();
  } finally {
    await rm(bundle, { recursive: true });
  }
}

function defaults(rootfsPath: string): Partial<OciSpecInput> {
  return {
    rootfsPath,
    cgroupsPath: `/rkt-test-${randomUUID()}`,
    namespaces: { network: 'new', ipc: 'new', uts: 'new', pid: 'new' },
    mounts: [{ destination: '/usr', type: 'bind', source: '/usr', options: ['rbind', 'ro'] }],
    hostCapabilities: heldCapabilities(),
  };
}

/** What this process may hand on, from its own bounding set. */
function heldCapabilities(): readonly string[] {
  const mask = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`);
  const all = buildOciSpec(specInput({}, { insecure: { capabilities: true } })).process.capabilities.bounding;
  return all.filter((_, bit) => (mask & (1n << BigInt(bit))) !== 0n);
}

const perl = (program: string) => `perl -e '${program}'`;

describe.each(['/usr/sbin/runc', '/usr/bin/crun'])('%s', (runtime) => {
  it('confines a root app', async () => {
    const script = [
      'grep -E "^(CapBnd|CapEff|CapInh|CapAmb|Seccomp|NoNewPrivs):" /proc/self/status',
      'hostname; ulimit -n; pwd',
      'touch /proc/sys/kernel/hostname 2>/dev/null && echo writable',
      'cat /proc/keys /proc/timer_list 2>/dev/null | wc -c',
      'cat /proc/sys/net/ipv4/ip_unprivileged_port_start',
    ].join('\n');
    const output = await run(runtime, {}, script);
    expect(output.split(/\s+/)).toEqual([
      ...['CapInh:', '0000000000000000', 'CapEff:', '00000000800405fb', 'CapBnd:', '00000000800405fb'],
      ...['CapAmb:', '0000000000000000', 'NoNewPrivs:', '0', 'Seccomp:', '2'],
      ...['rkt-6f1b2c3d', '1024', '/', '0', '0'],
    ]);
  });

  it('answers system calls as the profile says', async () => {
    const script = [
      'unshare -U true 2>&1; unshare -n true 2>&1',
      perl('socket(S, 38, 5, 0) or print "$!\\n"; socket(S, 2, 1, 0) and print "inet\\n"'),
      perl('$n = 435; syscall($n, 0, 0); print "clone3 $!\\n"'),
      perl('$n = 425; syscall($n, 1, 0); print "io_uring $!\\n"'),
      perl('$n = 56; $f = 0x10000011; syscall($n, $f, 0, 0, 0, 0); print "clone $!\\n"'),
      perl('$n = 4095; syscall($n); print "unknown $!\\n"'),
    ].join('\n');
    expect((await run(runtime, {}, script)).split('\n')).toEqual([
      ...['unshare: unshare failed: Operation not permitted', 'unshare: unshare failed: Operation not permitted'],
      ...['Address family not supported by protocol', 'inet', 'clone3 Function not implemented'],
      ...['io_uring Operation not permitted', 'clone Operation not permitted', 'unknown Function not implemented'],
    ]);
  });

  it('runs another user with its groups and no capabilities', async () => {
    const user = resolveUser('redis:x:999:1000::/data:', 'a:x:7:redis\nb:x:8:redis', { user: 'redis', group: '' });
    const output = await run(runtime, { user }, 'id -u; id -g; id -G; grep CapEff /proc/self/status; echo $HOME $USER');
    expect(output.split(/\s+/)).toEqual([
      '999',
      '1000',
      '1000',
      '7',
      '8',
      'CapEff:',
      '0000000000000000',
      '/data',
      'redis',
    ]);
  });

  it('hands capabilities that are asked for through to another user', async () => {
    const user = resolveUser(undefined, undefined, { user: '999', group: '' });
    const isolators = [{ name: 'os/linux/capabilities-retain-set', value: { set: capabilityBits } }];
    const app = { ...specInput().app, isolators };
    const output = await run(runtime, { user, app }, 'grep -E "CapEff|CapAmb" /proc/self/status');
    expect(output.split(/\s+/)).toEqual(['CapEff:', '0000000000000007', 'CapAmb:', '0000000000000007']);
  });

  it('applies limits, and no_new_privs', async () => {
    const isolators = [
      { name: 'resource/memory', value: { limit: '64Mi' } },
      { name: 'resource/cpu', value: { limit: '500m' } },
      { name: 'resource/pids', value: { limit: 32 } },
      { name: 'os/linux/no-new-privileges', value: true },
    ];
    const unified = existsSync('/sys/fs/cgroup/cgroup.controllers');
    const files = unified
      ? ['memory.max', 'cpu.max', 'pids.max']
      : ['memory/memory.limit_in_bytes', 'cpu/cpu.cfs_quota_us', 'pids/pids.max'];
    const loosen = `mkdir ${unified ? 'x' : 'memory/x'} 2>/dev/null || echo 99 > ${files[2]}`;
    const script = `cd /sys/fs/cgroup; cat ${files.join(' ')}; grep NoNewPrivs /proc/self/status
      if (${loosen}) 2>/dev/null; then echo loosened; fi`;
    const output = await run(runtime, { app: { ...specInput().app, isolators } }, script);
    expect(output.split(/\s+/)).toEqual([
      ...['67108864', ...(unified ? ['50000', '100000'] : ['50000']), '32', 'NoNewPrivs:', '1'],
    ]);
  });

  it('joins the network namespace of a pod and sets it up', async () => {
    await using pod = await newNamespace();
    const namespaces = { network: { path: pod.path }, ipc: 'new', uts: 'new', pid: 'new' } as const;
    const output = await run(runtime, { namespaces }, 'readlink /proc/self/ns/net');
    expect(output).toBe(readlinkSync(pod.path));
    expect(pod.exec('cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start').trim()).toBe('0');
  });

  it('shares the host’s network without changing it', async () => {
    const setting = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
    const before = readFileSync(setting, 'utf8');
    const namespaces = { network: 'host', ipc: 'new', uts: 'new', pid: 'new' } as const;
    expect(await run(runtime, { namespaces }, 'readlink /proc/self/ns/net')).toBe(readlinkSync('/proc/self/ns/net'));
    expect(readFileSync(setting, 'utf8')).toBe(before);
  });

  it.each(['0', '999'])('starts an app of user %s whose own seccomp list is short', async (name) => {
    const user = resolveUser(undefined, undefined, { user: name, group: '' });
    const set = [
      'access',
      'arch_prctl',
      'pread64',
      'set_tid_address',
      'set_robust_list',
      'rseq',
      'prlimit64',
      'getrandom',
    ];
    const isolators = [{ name: 'os/linux/seccomp-retain-set', value: { set: [...set, 'getuid'], errno: 'ENOTSUP' } }];
    const script = 'echo started; kill -0 1 2>/dev/null || echo refused';
    const output = await run(runtime, { user, app: { ...specInput().app, isolators } }, script);
    expect(output).toContain('started');
    expect(output).toContain('refused');
  });

  it('starts an app whose own seccomp list extends the default', async () => {
    const set = ['@docker/default-whitelist'];
    const isolators = [{ name: 'os/linux/seccomp-retain-set', value: { set, errno: 'ENOTSUP' } }];
    const output = await run(
      runtime,
      { app: { ...specInput().app, isolators } },
      perl('syscall(165, 0); print "mount $!"'),
    );
    expect(output).toBe('mount Operation not supported');
  });

  it('keeps the root file system and devices from being written to', async () => {
    const script = [
      'touch /data/x 2>/dev/null && echo written',
      'echo data > /dev/null && head -c 4 /dev/zero | wc -c',
      'cat /dev/mem 2>/dev/null; mknod /dev/sda b 8 0 2>/dev/null && echo made',
      'mount -o remount,rw / 2>/dev/null && echo remounted; true',
    ].join('\n');
    expect(await run(runtime, { readOnlyRootfs: true }, script)).toBe('4');
  });
});

it('both runtimes under test are installed', () => {
  for (const runtime of ['/usr/sbin/runc', '/usr/bin/crun']) {
    expect(execFileSync(runtime, ['--version'], { encoding: 'utf8' })).toMatch(/version/);
  }
});
