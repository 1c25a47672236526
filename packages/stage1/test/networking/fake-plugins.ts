// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ExecPlugin, NetworkingOptions, PluginExit } from '../../src/networking/index.ts';

/** A call as the fake saw it: `ADD ptp eth0`, or `iptables -w -t nat -S`. */
export interface SeenCall {
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
  readonly config: Record<string, unknown>;
  readonly stdin: string;
}

export interface FakeHost {
  readonly options: NetworkingOptions;
  readonly calls: readonly SeenCall[];
  /** What was called, without the iptables runs. */
  readonly pluginCalls: () => readonly string[];
  /** Answers the next calls whose description starts so; the answer before last stays for ever. */
  answer(what: string, ...exits: readonly (Partial<PluginExit> | Error)[]): void;
  writeConfig(dir: string, file: string, content: unknown): Promise<void>;
}

/**
 * Plugins that answer as the real ones do: an address per ADD, nothing for DEL. The files exist, since the code looks for
 * them; what runs is the function here.
 */
export async function fakeHost(plugins = ['loopback', 'ptp', 'portmap', 'bridge', 'host-local']): Promise<FakeHost> {
  const root = await mkdtemp(join(tmpdir(), 'rkt-net-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const pluginDir = join(root, 'plugins');
  await mkdir(pluginDir);
  for (const name of plugins) {
    await writeFile(join(pluginDir, name), '');
    await chmod(join(pluginDir, name), 0o755);
  }
  const calls: SeenCall[] = [];
  const answers = new Map<string, (Partial<PluginExit> | Error)[]>();
  const run: ExecPlugin = async ({ file, args, env, stdin, signal }) => {
    signal?.throwIfAborted();
    const command = env['CNI_COMMAND'];
    const what = command ? `${command} ${basename(file)} ${env['CNI_IFNAME']}` : [file, ...args].join(' ');
    const config = command ? (JSON.parse(stdin) as Record<string, unknown>) : {};
    calls.push({ what, env, config, stdin });
    const scripted = [...answers].find(([prefix]) => what.startsWith(prefix))?.[1];
    const exit = scripted && (scripted.length > 1 ? scripted.shift() : scripted[0]);
    if (exit instanceof Error) throw exit;
    // Loopback comes up beside the networks, in no fixed order: it has no part in the numbering of addresses.
    const serial = calls.filter((call) => /^ADD (?!loopback )/.test(call.what)).length + 1;
    const stdout = command === 'ADD' ? JSON.stringify(result(config, serial)) : '';
    return { exitCode: 0, stdout, stderr: '', ...exit };
  };
  return {
    options: {
      dataDir: join(root, 'data'),
      configDirs: [join(root, 'usr'), join(root, 'etc')],
      pluginDirs: [join(root, 'none'), pluginDir],
      run,
    },
    calls,
    pluginCalls: () => calls.map(({ what }) => what).filter((what) => /^[A-Z]/.test(what)),
    answer: (what, ...exits) => void answers.set(what, [...exits]),
    async writeConfig(dir, file, content) {
      await mkdir(join(root, dir, 'net.d'), { recursive: true });
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      await writeFile(join(root, dir, 'net.d', file), text);
    },
  };
}

function result(config: Record<string, unknown>, serial: number): unknown {
  if (config['prevResult']) return config['prevResult'];
  const ips = [{ address: `172.16.28.${serial}/24` }, { address: `fd00::${serial}/64` }];
  const dns = {
    nameservers: ['10.0.0.1', 'not an address', '::1'],
    search: ['example.com', 'evil\nnameserver 6.6.6.6'],
    options: ['ndots:2', 'a b'],
    domain: 'pod.example',
  };
  return { cniVersion: config['cniVersion'], interfaces: [], ips, dns };
}
