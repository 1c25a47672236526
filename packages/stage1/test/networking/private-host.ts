// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ExecPlugin, type NetworkingOptions, spawnPlugin } from '../../src/networking/index.ts';

/** A network namespace with a process in it; gone when that ends. */
export interface Namespace extends AsyncDisposable {
  readonly path: string;
  /** Runs a program in it and gives its standard output. */
  exec(file: string, ...args: string[]): string;
  /** Starts a program that answers `hello from <name>` on a TCP port. */
  serve(port: number, name: string): Promise<void>;
  /** Starts a program that sends every UDP packet back. */
  echoUdp(port: number): Promise<void>;
}

/** A network namespace that plays the host: interfaces, routes and iptables of the real one stay as they are. */
export interface PrivateHost extends AsyncDisposable {
  readonly namespace: Namespace;
  readonly options: NetworkingOptions;
  /** Rules, names of interfaces, IPv4 routes and those to ::1; not the state of links, which the kernel works out in its own time. */
  state(): readonly string[];
}

export const hostAddress = '192.0.2.10';
export const hostAddress6 = '2001:db8::10';

export async function privateHost(iptables: 'nft' | 'legacy'): Promise<PrivateHost> {
  const namespace = await newNamespace();
  namespace.exec('ip', 'link', 'set', 'lo', 'up');
  namespace.exec('ip', 'link', 'add', 'up0', 'type', 'bridge');
  namespace.exec('ip', 'addr', 'add', `${hostAddress}/24`, 'dev', 'up0');
  namespace.exec('ip', '-6', 'addr', 'add', `${hostAddress6}/64`, 'dev', 'up0', 'nodad');
  namespace.exec('ip', 'link', 'set', 'up0', 'up');
  const dir = await mkdtemp(join(tmpdir(), 'rkt-net-'));
  const bin = join(dir, 'bin');
  await mkdir(bin);
  for (const family of ['iptables', 'ip6tables']) {
    for (const program of ['', '-save', '-restore']) {
      await symlink(`/usr/sbin/${family}-${iptables}${program}`, join(bin, `${family}${program}`));
    }
  }
  const run: ExecPlugin = (call) =>
    spawnPlugin({
      ...call,
      file: '/usr/bin/nsenter',
      args: [`--net=${namespace.path}`, call.file, ...call.args],
      env: { ...call.env, PATH: `${bin}:${call.env['PATH']}` },
    });
  return {
    namespace,
    options: { dataDir: join(dir, 'data'), configDirs: [], run },
    state: () =>
      [
        namespace.exec(`/usr/sbin/iptables-${iptables}`, '-t', 'nat', '-S'),
        namespace.exec(`/usr/sbin/iptables-${iptables}`, '-S'),
        namespace.exec(`/usr/sbin/ip6tables-${iptables}`, '-t', 'nat', '-S'),
        namespace.exec(`/usr/sbin/ip6tables-${iptables}`, '-S'),
        namespace.exec('ip', '-6', 'route', 'show', 'table', 'local', 'match', '::1'),
        namespace.exec('ls', '/proc/sys/net/ipv4/conf'),
        namespace.exec('ip', '-4', 'route', 'show', 'table', 'all').replaceAll(/ linkdown/g, ''),
      ].flatMap((text) => text.trim().split('\n')),
    async [Symbol.asyncDispose]() {
      await namespace[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
}

export async function newNamespace(): Promise<Namespace> {
  const holder = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
  const children: ChildProcess[] = [holder];
  const path = `/proc/${holder.pid}/ns/net`;
  const own = readlinkSync('/proc/self/ns/net');
  await until(() => readlinkSync(path) !== own);
  // As the runtime makes them: see createNamespaces.
  const detection = 'echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad';
  execFileSync('nsenter', [`--net=${path}`, 'sh', '-c', detection]);
  const inside = (file: string, args: readonly string[]): readonly string[] => [`--net=${path}`, file, ...args];
  const start = async (program: string): Promise<void> => {
    const server = spawn('nsenter', inside(process.execPath, ['-e', program]), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(server);
    await new Promise((resolve) => server.stdout.once('data', resolve));
  };
  return {
    path,
    exec: (file, ...args) =>
      execFileSync('nsenter', inside(file, args), {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 10_000,
      }),
    serve: (port, name) =>
      start(`require('net').createServer((s) => s.end('hello from ${name} to ' + s.remoteAddress))
        .listen(${port}, '::', () => console.log('ready'))`),
    echoUdp: (port) =>
      start(`const s = require('dgram').createSocket('udp6').bind(${port}, () => console.log('ready'));
        s.on('message', (text, from) => s.send(text, from.port, from.address))`),
    async [Symbol.asyncDispose]() {
      const ends = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(ends);
    },
  };
}

/** Connects from inside a namespace and gives what the other side says. */
export function fetchFrom(namespace: Namespace, address: string, port: number): string {
  const program = `require('net').connect({ host: '${address}', port: ${port}, timeout: 3000 })
    .on('timeout', () => process.exit(1)).pipe(process.stdout)`;
  return namespace.exec(process.execPath, '-e', program);
}

/** Sends `echo` from inside a namespace and gives what comes back within three seconds. */
export function askUdp(namespace: Namespace, address: string, port: number): string {
  const program = `const s = require('dgram').createSocket('${address.includes(':') ? 'udp6' : 'udp4'}');
    s.on('message', (text) => { console.log(String(text)); s.close(); });
    s.send('echo', ${port}, '${address}'); setTimeout(() => process.exit(1), 3000).unref()`;
  return namespace.exec(process.execPath, '-e', program).trim();
}

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; !condition(); attempt++) {
    if (attempt > 500) throw new Error('the namespace did not come into being');
    await sleep(10);
  }
}
