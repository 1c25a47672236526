// SPDX-License-Identifier: Apache-2.0
import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '@rkt/appc';
import { pause } from '../pause.ts';
import type { EnterOptions } from '../runtime.ts';
import { type FlavorBench, type FlavorCheck, holdersOf, processesWith, refused } from './flavor-bench.ts';

const worker = { user: 'worker', group: '' };
const namespaces = ['ipc', 'uts', 'net', 'mnt'] as const;

/** What an app finds when it is executed for real. */
export const appChecks: readonly FlavorCheck[] = [
  [
    'finds what runs of an app without a record of it, if it says that it can, and nothing when the app has ended',
    async ({ flavor, host, runtime, start }) => {
      if (flavor.processes === undefined) return;
      const { id, app } = await start({ script: 'sleep 1000' });
      const { dir } = await runtime.inspect(id);
      const remains = { podId: id, dir, app: 'app0', inside: undefined };
      ok(flavor.processes(host, remains).includes(app.pid));
      app.signal('SIGKILL');
      await app.wait();
      deepEqual(flavor.processes(host, remains), []);
      await runtime.stopSandbox(id);
    },
  ],
  [
    'runs an app as the user and the groups of its image',
    async ({ run, read }) => {
      equal(await run({ script: 'id -u >/out/who; id -g >>/out/who; id -G >>/out/who', app: worker }), 0);
      equal(read('who'), '1234\n2345\n2345 77\n');
    },
  ],
  [
    'runs an app in its working directory, which is made if it is missing, with the usual mask',
    async ({ run, read }) => {
      const before = process.umask(0o077);
      try {
        await run({ script: 'pwd >/out/where; umask >>/out/where', app: { workingDirectory: '/new/place' } });
      } finally {
        process.umask(before);
      }
      match(read('where'), /^\/new\/place\n0*22\n$/);
    },
  ],
  [
    'gives an app its environment and nothing of the caller’s',
    async ({ run, read }) => {
      const environment = [
        { name: 'A', value: 'b = "c"\nd' },
        { name: 'LD_LIBRARY_PATH', value: '/nowhere' },
      ];
      process.env['RKT_CONTRACT'] = 'leaked';
      try {
        equal(await run({ script: 'cat /proc/self/environ >/out/environment', app: { environment } }), 0);
      } finally {
        delete process.env['RKT_CONTRACT'];
      }
      const found = read('environment').split('\0');
      for (const variable of ['A=b = "c"\nd', 'LD_LIBRARY_PATH=/nowhere', 'HOME=/root', 'AC_APP_NAME=app0']) {
        ok(found.includes(variable), variable);
      }
      doesNotMatch(read('environment'), /RKT_CONTRACT/);
    },
  ],
  [
    'gives an app its standard streams and no other descriptor',
    async ({ run, read }) => {
      await run({ script: 'ls /proc/self/fd >/out/descriptors' });
      // The last one is the directory that ls itself reads.
      equal(read('descriptors'), '0\n1\n2\n3\n');
    },
  ],
  [
    'gives an app no more open files than its caller may have',
    async ({ run, read, host }) => {
      await run({ script: 'ulimit -Sn >/out/files; ulimit -Hn >>/out/files' });
      const { soft, hard } = host.limits().nofile;
      equal(read('files'), `${Math.min(soft, hard)}\n${hard}\n`);
    },
  ],
  [
    'keeps what an app writes from the image, and has it when the app is started again',
    async ({ runtime, start }) => {
      const { id, app } = await start({ script: 'test -e /written && exit 5; touch /written' });
      equal(await app.wait(), 0);
      equal(await (await runtime.startApp(id, 'app0', { stdio: 'inherit' })).wait(), 5);
      await runtime.stopSandbox(id);
    },
  ],
  [
    'makes the root filesystem read-only where the pod says so, but not its volumes',
    async ({ run, read }) => {
      const script = 'touch /a 2>/dev/null; echo $? >/out/status; touch /out/b';
      await run({ script, runtimeApp: { readOnlyRootFS: true } });
      match(read('status'), /^[1-9]\d*\n$/);
      equal(read('b'), '');
    },
  ],
  [
    'mounts directories, files and memory of the pod where they belong, read-only ones so',
    async (bench) => {
      const file = join(bench.out, 'file');
      writeFileSync(file, 'text\n');
      const script = [
        'cat /deep/down/file >/out/seen; { echo x >/deep/down/file; } 2>/dev/null || echo kept >>/out/seen',
        'stat -c %a /memory >>/out/seen; touch /memory/a /kept/b && echo written >>/out/seen',
      ].join('; ');
      const mounts = [
        { volume: 'file', path: '/deep/down/file' },
        { volume: 'memory', path: '/memory' },
        { volume: 'kept', path: '/kept' },
      ];
      const volumes = [
        { name: 'file', kind: 'host', source: file, readOnly: true },
        { name: 'memory', kind: 'tmpfs', mode: '0711' },
        { name: 'kept', kind: 'empty' },
      ] as const;
      await bench.run({ script, runtimeApp: { mounts }, volumes });
      equal(bench.read('seen'), 'text\nkept\n711\nwritten\n');
      equal(bench.read('file'), 'text\n');
    },
  ],
  [
    'has namespaces of a pod’s own as it says, and shares the others with the host',
    async ({ flavor, run, read }) => {
      await run({ script: `cd /proc/self/ns; for n in ${namespaces.join(' ')}; do readlink $n >>/out/ns; done` });
      const found = read('ns').trim().split('\n');
      const own = namespaces.filter((kind, index) => readlinkSync(`/proc/self/ns/${kind}`) !== found[index]);
      deepEqual(own, [
        ...namespaces.filter((kind) => kind !== 'mnt' && flavor.traits.namespaces.includes(kind)),
        'mnt',
      ]);
    },
  ],
  [
    'shows nothing of a pod in the mount table of the host',
    async ({ runtime, start, dataDir }) => {
      const mounted = (): readonly string[] =>
        readFileSync('/proc/self/mountinfo', 'utf8')
          .split('\n')
          .filter((line) => line.includes(dataDir));
      const { id } = await start({ script: 'sleep 1000' });
      deepEqual(mounted(), []);
      await runtime.stopSandbox(id, { force: true });
      deepEqual(mounted(), []);
    },
  ],
  [
    'says why an app cannot be executed, and does not count it as started',
    async ({ runtime, start, prepare, out }) => {
      writeFileSync(join(out, 'text'), 'no program\n', { mode: 0o755 });
      const exec = (path: string): Promise<unknown> => start({ script: '', app: { exec: [path] } });
      await refused('ERR_RKT_STAGE1_EXEC_NOT_FOUND', exec('/bin/absent'));
      await refused('ERR_RKT_STAGE1_EXEC_NOT_FOUND', exec('absent'));
      await refused('ERR_RKT_STAGE1_EXEC_PERMISSION', exec('/etc/passwd'));
      const id = await prepare({ script: '', app: { exec: ['/absent'] } });
      await runtime.createSandbox(id);
      await runtime.addApp(id, 'app0');
      await refused('ERR_RKT_STAGE1_EXEC_NOT_FOUND', runtime.startApp(id, 'app0', { stdio: 'inherit' }));
      equal((await runtime.inspect(id)).apps[0]?.state, 'created');
    },
  ],
  [
    'refuses a working directory that leads into a process, and a user the image does not have',
    async ({ run }) => {
      const refusal = run({ script: 'true', app: { workingDirectory: '/proc/self/fd/7' } });
      await refused('ERR_RKT_STAGE1_APP_INVALID', refusal);
      await refused('ERR_RKT_STAGE1_USER_NOT_FOUND', run({ script: 'true', app: { user: 'nobody-at-all' } }));
    },
  ],
  [
    'enters an app as what the app is: its root, user, namespaces, environment and directory',
    async (bench) => {
      const app = { ...worker, workingDirectory: '/data', environment: [{ name: 'A', value: 'b' }] };
      await sameEntered(bench, app, [
        'id -u; id -g; id -G; pwd; echo $A $HOME; ls -d /data/sub; readlink /proc/self/ns/mnt /proc/self/ns/net',
        'while read k v; do case $k in Cap*|NoNewPrivs:|Seccomp:) echo $k $v;; esac; done </proc/self/status',
      ]);
    },
  ],
  [
    'enters an app as whom, where and with what is asked for',
    async ({ flavor, runtime, start, read }) => {
      const environment = [
        { name: 'A', value: 'b' },
        { name: 'USER', value: 'stated' },
      ];
      const { id } = await start({
        script: 'sleep 1000',
        app: { ...worker, workingDirectory: '/data', environment },
      });
      if (flavor.traits.enterChanges !== true) {
        const changes = { user: 'root', command: ['/bin/sh', '-c', ':'], tty: false };
        await refused('ERR_RKT_STAGE1_FLAVOR_UNABLE', runtime.enter(id, changes));
        return;
      }
      const look = 'id -u; id -g; id -G; pwd; echo $A $B $HOME $USER $LOGNAME';
      const entered = async (changes: Partial<EnterOptions>): Promise<string> => {
        // What another has made is not everybody's to write to.
        const file = `entered-as-${changes.user}`;
        const command = ['/bin/sh', '-c', `{ ${look}; } >/out/${file}`];
        equal(await runtime.enter(id, { ...changes, command, tty: false }), 0);
        return read(file);
      };
      const variables = [
        { name: 'A', value: 'c' },
        { name: 'B', value: 'd=e' },
      ];
      equal(
        await entered({ user: 'root', workingDirectory: '/data/../tmp', environment: variables }),
        '0\n0\n0\n/tmp\nc d=e /root stated root\n',
      );
      equal(await entered({ user: '1234' }), '1234\n2345\n2345 77\n/data\nb /work stated worker\n');
      equal(await entered({ user: '9', group: 'more' }), '9\n77\n77\n/data\nb / stated 9\n');
      const command = ['/bin/sh', '-c', ':'];
      const refusal = (changes: Partial<EnterOptions>) => runtime.enter(id, { ...changes, command, tty: false });
      await refused('ERR_RKT_STAGE1_USER_NOT_FOUND', refusal({ user: 'nobody-at-all' }));
      await refused('ERR_RKT_STAGE1_GROUP_NOT_FOUND', refusal({ user: 'root', group: 'nobody-at-all' }));
      for (const workingDirectory of ['/proc/self/fd/7', '/absent', '/etc/passwd', 'data', '']) {
        await refused('ERR_RKT_STAGE1_APP_INVALID', refusal({ workingDirectory }));
      }
      await refused('ERR_RKT_STAGE1_APP_INVALID', refusal({ environment: [{ name: 'A=B', value: '' }] }));
      await runtime.stopSandbox(id, { force: true });
    },
  ],
  [
    'gives who enters as another user the rights that an app of that user has',
    async ({ flavor, runtime, start, run, read }) => {
      if (flavor.traits.enterChanges !== true) return;
      const look =
        'while read k v; do case $k in Cap*|NoNewPrivs:|Seccomp:) echo $k $v;; esac; done </proc/self/status';
      const root = { user: 'root', group: '' };
      const retain = [{ name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_SYS_CHROOT'] } }];
      const cases = [[], retain].flatMap((isolators) => [
        { as: worker, other: root, isolators },
        { as: root, other: worker, isolators },
      ]);
      for (const [index, { as, other, isolators }] of cases.entries()) {
        await run({ script: `${look} >/out/own${index}`, app: { ...as, isolators } });
        const { id } = await start({ script: 'sleep 1000', app: { ...other, isolators } });
        const command = ['/bin/sh', '-c', `${look} >/out/entered${index}`];
        equal(await runtime.enter(id, { ...as, command, tty: false }), 0);
        equal(read(`entered${index}`), read(`own${index}`));
        match(read(`own${index}`), /^CapEff: /m);
        await runtime.stopSandbox(id, { force: true });
      }
    },
  ],
  [
    'says why a command cannot be entered with',
    async ({ runtime, start }) => {
      const { id } = await start({ script: 'sleep 1000' });
      await refused('ERR_RKT_STAGE1_EXEC_NOT_FOUND', runtime.enter(id, { command: ['/absent'], tty: false }));
      await refused('ERR_RKT_STAGE1_EXEC_PERMISSION', runtime.enter(id, { command: ['/etc/passwd'], tty: false }));
    },
  ],
  [
    'has users of the pod’s own where its traits say so, and is refused them otherwise',
    async ({ runtime, flavor, prepareAs, read }) => {
      const script = 'id -u >/out/who; id -G >>/out/who; cat /proc/self/uid_map /proc/self/gid_map >/out/maps';
      const prepared = prepareAs({ privateUsers: true }, { script, app: worker });
      if (!flavor.traits.userNamespaces) {
        await refused('ERR_RKT_STAGE1_FLAVOR_UNABLE', prepared);
        return;
      }
      const id = await prepared;
      const { users } = await runtime.createSandbox(id);
      await runtime.addApp(id, 'app0');
      equal(await (await runtime.startApp(id, 'app0', { stdio: 'inherit' })).wait(), 0);
      await runtime.stopSandbox(id);
      equal(read('who'), '1234\n2345 77\n');
      const map = ['0', String(users?.first), String(users?.count)];
      deepEqual(read('maps').trim().split(/\s+/), [...map, ...map]);
    },
  ],
  [
    'has apps in a PID namespace of the pod where its traits say so, and is refused it otherwise',
    async ({ runtime, flavor, host, prepareAs, read }) => {
      const looks = 'readlink /proc/self/ns/pid >/out/ns; cat /proc/1/cmdline >/out/first';
      const script = `${looks}; sh -c "sleep 1000 & sleep 1000 &" >/dev/null; exit 4`;
      const prepared = prepareAs({ pid: 'pod' }, { script });
      if (flavor.traits.pidNamespaces !== true) {
        await refused('ERR_RKT_STAGE1_FLAVOR_UNABLE', prepared);
        return;
      }
      const id = await prepared;
      const { dir } = await runtime.createSandbox(id);
      await runtime.addApp(id, 'app0');
      const app = await runtime.startApp(id, 'app0', { stdio: 'inherit' });
      equal(await app.wait(), 4);
      deepEqual(flavor.processes?.(host, { podId: id, dir, app: 'app0', inside: undefined }) ?? [], []);
      await runtime.stopSandbox(id);
      match(read('ns'), /^pid:/);
      ok(read('ns').trim() !== readlinkSync('/proc/self/ns/pid'));
      match(read('first'), /infinity/);
    },
  ],
  [
    'ends with a pod whatever its app has started',
    async ({ runtime, start, dataDir }) => {
      const mark = `10${dataDir.length}${process.pid}${Date.now() % 100_000}`;
      const { id, app } = await start({ script: `(sleep ${mark} &) ; (sleep ${mark} & sleep ${mark}) & exit 4` });
      equal(await app.wait(), 4);
      await runtime.stopSandbox(id);
      deepEqual(processesWith(`sleep ${mark}`), []);
    },
  ],
  [
    'has the lock of the pod with something that lives as long as the app, but is not the app',
    async ({ runtime, start }) => {
      const { id, app } = await start({ script: 'sleep 1000' });
      const lock = join((await runtime.inspect(id)).dir, 'lock');
      const holders = holdersOf(lock);
      ok(holders.length > 0);
      ok(!holders.includes(app.pid));
      await runtime.stopSandbox(id, { force: true });
      deepEqual(holdersOf(lock), []);
      ok(existsSync(lock));
    },
  ],
];

/** Runs looks in the app and then entering it: what they print must be the same, and something. */
async function sameEntered(bench: FlavorBench, app: Partial<App>, looks: readonly string[]): Promise<void> {
  const { runtime, start, read, out } = bench;
  const own = looks.map((look, index) => `{ ${look}; } >/out/own${index}`);
  const { id } = await start({ script: `${own.join('; ')}; touch /out/ready; sleep 1000`, app });
  const end = performance.now() + 5_000;
  while (!existsSync(join(out, 'ready')) && performance.now() < end) await pause(10, undefined);
  for (const [index, look] of looks.entries()) {
    const command = ['/bin/sh', '-c', `{ ${look}; } >/out/entered${index}`];
    equal(await runtime.enter(id, { command, tty: false }), 0);
    equal(read(`entered${index}`), read(`own${index}`));
    ok(read(`own${index}`).length > 0);
  }
  await runtime.stopSandbox(id, { force: true });
}
