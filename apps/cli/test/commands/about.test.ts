// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/args/commands.ts';
import { main } from '../../src/main.ts';
import { fakeIo } from '../support/fake-io.ts';
import { rktWith } from '../support/run-rkt.ts';

const rkt = rktWith('/nonexistent');
const program = fileURLToPath(new URL('../../src/bin.ts', import.meta.url));

describe('rkt', () => {
  it('without a command says so, shows help and ends with 2', async () => {
    const { status, stdout, stderr } = await rkt();
    expect([status, stderr]).toEqual([2, 'rkt: missing command\n']);
    for (const { name, hidden } of commands) {
      expect(stdout.includes(`\n  rkt ${name} `), name).toBe(hidden !== true);
    }
  });

  it('--help shows the same and ends with 0', async () => {
    expect(await rkt('--help')).toMatchObject({ status: 0, stderr: '' });
  });

  it('help and --help of a command show its flags and no hidden ones', async () => {
    for (const { name, usage, summary, flags } of commands) {
      const { status, stdout } = await rkt('help', ...name.split(' '));
      expect(status).toBe(0);
      expect(stdout.startsWith(`${`rkt ${name} ${usage}`.trimEnd()}\n\n${summary}\n`), stdout).toBe(true);
      for (const flag of flags) expect(stdout, name).toContain(`--${flag.name}`);
      expect(stdout).not.toContain('tree-backend');
      expect((await rkt(...name.split(' '), '--help')).stdout).toBe(stdout);
    }
  });

  it('help of a group lists its commands', async () => {
    expect((await rkt('help', 'image')).stdout).toMatch(/image cat-manifest[\s\S]*image verify/);
    expect((await rkt('help', 'nonsense')).status).toBe(254);
  });

  it.each(['help', '--help', '-h'])('%s after a group is help about the group, or its commands', async (word) => {
    expect(await rkt('image', word)).toEqual(await rkt('help', 'image'));
    expect(await rkt('image', word, 'list')).toEqual(await rkt('help', 'image', 'list'));
  });

  it('version names program, specification and platform', async () => {
    expect((await rkt('version')).stdout).toMatch(
      /^rkt Version: \d+\.\d+\.\d+\S*\nappc Version: 0\.8\.11\nNode Version: v\d+\S*\nNode OS\/Arch: linux\/\w+\n$/,
    );
  });

  it('version as JSON says the same', async () => {
    const { stdout } = await rkt('version', '--format=json');
    const { rkt: program, appc, node, os, arch } = JSON.parse(stdout);
    expect((await rkt('version')).stdout).toBe(
      `rkt Version: ${program}\nappc Version: ${appc}\nNode Version: ${node}\nNode OS/Arch: ${os}/${arch}\n`,
    );
    expect((await rkt('version', '--format=json-pretty')).stdout).toContain('\n\t"appc": "0.8.11"');
  });

  it('ls is list, in full alone', async () => {
    expect((await rkt('ls', '--help')).stdout).toBe((await rkt('list', '--help')).stdout);
    expect((await rkt('p', '--help')).stdout).toBe((await rkt('prepare', '--help')).stdout);
  });

  it.each(['--version', '-v'])('%s is the same, alone on the command line', async (flag) => {
    expect(await rkt.within(fakeIo(), flag)).toMatchObject({ status: 254 });
    const io = fakeIo();
    expect(await main([flag], io)).toBe(0);
    expect(io.written).toEqual({ stdout: (await rkt('version')).stdout, stderr: '' });
  });

  it.each([[['--debug', '--version']], [['fetch', '--version']], [['--dir=/x', 'image', 'list', '--version']]])(
    '%j says where the version is',
    async (argv) => {
      const { status, stderr } = await rkt(...argv);
      expect([status, stderr]).toEqual([254, expect.stringContaining("hint: run 'rkt version' for the version\n")]);
    },
  );

  it('version loads none of the libraries and nothing for the network or the database', () => {
    const hooks = `
      const { registerHooks } = require('node:module');
      registerHooks({ load: (url, context, next) => { process.stderr.write(url + '\\n'); return next(url, context); } });
      process.argv.push('version');
      import(${JSON.stringify(program)});`;
    const args = [
      '--conditions=@rkt/source',
      '--disable-warning=ExperimentalWarning',
      '--input-type=commonjs',
      '-e',
      hooks,
    ];
    const { stdout, stderr } = spawnSync(process.execPath, [...args, 'rkt'], { encoding: 'utf8' });
    expect(stdout).toContain('rkt Version');
    expect(stderr).toContain('commands/version.ts');
    expect(stderr).not.toMatch(
      /packages\/|node:sqlite|node:http|undici|koffi|help\/(?!docker-)|completion\/(?!completion-key)|load-config/,
    );
  });

  it.each([
    [['fetsh', 'x'], 'rkt: unknown command "fetsh" for "rkt" (did you mean "fetch"?)'],
    [['image', 'lost'], 'rkt: unknown command "lost" for "rkt image" (did you mean "list"?)'],
    [['frobnicate'], 'rkt: unknown command "frobnicate" for "rkt"'],
    [['-1'], 'rkt: unknown flag: -1'],
    [['f'.repeat(10_000)], `rkt: unknown command "${'f'.repeat(160)}..." for "rkt"`],
    [['run', '--hostnam=x', 'a'], 'run: unknown flag: --hostnam (did you mean --hostname?)'],
    [['pull', '--nonsense'], 'pull: unknown flag: --nonsense'],
    [['image', 'ls', '--nonsense'], 'ls: unknown flag: --nonsense'],
    [['ls', 'x'], 'ls: takes no arguments'],
    [['rmi'], 'rmi: must provide at least one image ID'],
    [['exec'], 'exec: must provide a pod UUID'],
    [['l', 'x'], 'list: takes no arguments'],
    [['list', '--tree-backen=x'], 'list: unknown flag: --tree-backen'],
  ])('tells what was probably meant by %j', async (argv, line) => {
    const { status, stdout, stderr } = await rkt(...argv);
    expect([status, stdout, stderr.split('\n')[0]]).toEqual([254, '', line]);
  });
});

describe('standard output', () => {
  const run = (redirection: string) => {
    const command = `"$0" --conditions=@rkt/source --disable-warning=ExperimentalWarning "$1" version ${redirection}`;
    return spawnSync('bash', ['-c', `${command}; exit \${PIPESTATUS[0]}`, process.execPath, program], {
      encoding: 'utf8',
    });
  };

  it('that is full is told in one line', () => {
    expect(run('>/dev/full')).toMatchObject({ status: 254, stderr: 'rkt: cannot write to standard output: ENOSPC\n' });
  });

  it('that nobody reads any more is not worth a word', () => {
    expect(run('| true')).toMatchObject({ stderr: '' });
  });

  it('matters, standard error does not: the status tells', () => {
    expect(run('--nonsense 2>/dev/full')).toMatchObject({ status: 254, stdout: '' });
  });
});

describe('a data directory', () => {
  it.each([
    ['/etc/passwd', 'not a directory'],
    ['/etc/passwd/below', 'not a directory'],
    ['/proc/rkt', 'the kernel keeps no files there'],
    ['/sys/rkt/below', 'the kernel keeps no files there'],
  ])('%s is refused', async (path, reason) => {
    for (const command of [['list'], ['image', 'list']]) {
      const { status, stderr } = await rkt(`--dir=${path}`, ...command);
      const line = `list: cannot use data directory "${path}": ${reason}`;
      expect([status, stderr]).toEqual([254, `${line}\nhint: choose another one with --dir\n`]);
    }
  });

  it('has a name', async () => {
    const { status, stderr } = await rkt('--dir=', 'list');
    expect([status, stderr]).toEqual([254, 'rkt: invalid argument "" for --dir=: it must be a path\n']);
  });
});
