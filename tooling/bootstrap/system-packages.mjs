// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { runCommand } from './command.mjs';

/** What must be on the machine, by the file that shows it is there, with the Debian package that brings it. */
const needs = {
  runc: { package: 'runc', files: ['/usr/sbin/runc', '/usr/bin/runc'] },
  crun: { package: 'crun', files: ['/usr/bin/crun'] },
  conmon: { package: 'conmon', files: ['/usr/bin/conmon'] },
  cni: { package: 'containernetworking-plugins', files: ['/usr/lib/cni/ptp'] },
  iptables: { package: 'iptables', files: ['/usr/sbin/iptables'] },
  iproute: { package: 'iproute2', files: ['/usr/bin/ip', '/sbin/ip', '/bin/ip'] },
  erofs: { package: 'erofs-utils', files: ['/usr/bin/fsck.erofs', '/sbin/fsck.erofs', '/usr/sbin/fsck.erofs'] },
  registry: { package: 'docker-registry', files: ['/usr/bin/docker-registry'] },
  attr: { package: 'attr', files: ['/usr/bin/setfattr'] },
  zstd: { package: 'zstd', files: ['/usr/bin/zstd'] },
  ext4: { package: 'e2fsprogs', files: ['/sbin/mkfs.ext4', '/usr/sbin/mkfs.ext4'] },
  mount: { package: 'mount', files: ['/bin/mount', '/usr/bin/mount'] },
  procps: { package: 'procps', files: ['/usr/bin/ps', '/bin/ps'] },
  script: { package: 'bsdutils', files: ['/usr/bin/script'] },
  time: { package: 'time', files: ['/usr/bin/time'] },
  gnupg: { package: 'gnupg', files: ['/usr/bin/gpg'] },
  openssl: { package: 'openssl', files: ['/usr/bin/openssl'] },
  zsh: { package: 'zsh', files: ['/usr/bin/zsh', '/bin/zsh'] },
  fish: { package: 'fish', files: ['/usr/bin/fish'] },
  shellcheck: { package: 'shellcheck', files: ['/usr/bin/shellcheck'] },
  mandoc: { package: 'mandoc', files: ['/usr/bin/mandoc'] },
  podman: { package: 'podman', files: ['/usr/bin/podman'] },
  skopeo: { package: 'skopeo', files: ['/usr/bin/skopeo'] },
  umoci: { package: 'umoci', files: ['/usr/bin/umoci'] },
  containerd: { package: 'containerd', files: ['/usr/bin/ctr'] },
  qemu: { package: 'qemu-user-static', files: ['/usr/bin/qemu-aarch64-static'] },
  arm64: { package: 'libstdc++6-arm64-cross', files: ['/usr/aarch64-linux-gnu/lib/libstdc++.so.6'] },
};

const running = ['runc', 'crun', 'conmon', 'cni', 'iptables', 'iproute'];
/** What completions and man pages are tried with. */
const shells = ['zsh', 'fish', 'shellcheck', 'mandoc'];
const byTask = {
  build: [],
  // The executable for a machine of another architecture, whose Node makes it.
  'build --arch=arm64': process.arch === 'arm64' ? [] : ['qemu', 'arm64'],
  demo: [...running, 'mount'],
  record: [...running, 'mount', 'script'],
  test: [
    ...running,
    ...shells,
    'erofs',
    'registry',
    'attr',
    'zstd',
    'ext4',
    'mount',
    'procps',
    'openssl',
    'umoci',
    'gnupg',
  ],
  bench: [...running, 'registry', 'ext4', 'mount', 'procps', 'time', 'podman', 'skopeo', 'umoci', 'containerd'],
};

/**
 * Installs what the task needs and the machine lacks, saying so. Debian and its children only; elsewhere the missing
 * programs are named and the task stops.
 */
export async function ensureSystemPackages(task, { say, fail }) {
  const missing = byTask[task]
    .map((name) => needs[name])
    .filter((need) => !need.files.some((file) => existsSync(file)));
  if (missing.length === 0) return;
  const names = missing.map((need) => need.package);
  if (!existsSync('/usr/bin/apt-get'))
    fail(`this machine lacks ${names.join(', ')} (Debian's names); install them and run again`);
  if (process.getuid() !== 0)
    fail(`this machine lacks ${names.join(', ')}; run as root, or: sudo apt-get install ${names.join(' ')}`);
  say(`installing Debian packages: ${names.join(' ')}`);
  const install = ['install', '-q', '-y', '--no-install-recommends', ...names];
  if ((await aptGet(install)) === 0) return;
  // The lists are missing, or so old that the archive does not have those versions any more.
  say('apt-get could not install them; updating its package lists and trying once more');
  for (const args of [['update', '-q'], install]) {
    if ((await aptGet(args)) !== 0) fail(`apt-get ${args.join(' ')} failed`);
  }
}

function aptGet(args) {
  return runCommand('apt-get', args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}
