// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/args/commands.ts';
import { rktWith } from '../support/run-rkt.ts';

const rkt = rktWith('/nonexistent');

describe('rkt', () => {
  it('without a command says so, shows help and ends with 2', async () => {
    const { status, stdout, stderr } = await rkt();
    expect([status, stderr]).toEqual([2, 'rkt: missing command\n']);
    for (const { name } of commands) expect(stdout).toContain(`\n\t${name} `);
  });

  it('--help shows the same and ends with 0', async () => {
    expect(await rkt('--help')).toMatchObject({ status: 0, stderr: '' });
  });

  it('help and --help of a command show its flags and no hidden ones', async () => {
    for (const { name, flags } of commands) {
      const { status, stdout } = await rkt('help', ...name.split(' '));
      expect(status).toBe(0);
      expect(stdout).toMatch(new RegExp(`^NAME:\n\t${name} - `));
      for (const flag of flags) expect(stdout, name).toContain(`--${flag.name}`);
      expect(stdout).not.toContain('tree-backend');
      expect((await rkt(...name.split(' '), '--help')).stdout).toBe(stdout);
    }
  });

  it('help of a group lists its commands', async () => {
    expect((await rkt('help', 'image')).stdout).toMatch(/image cat-manifest[\s\S]*image verify/);
    expect((await rkt('help', 'nonsense')).status).toBe(254);
  });

  it('version names program, specification and platform', async () => {
    expect((await rkt('version')).stdout).toMatch(
      /^rkt Version: \d+\.\d+\.\d+\S*\nappc Version: 0\.8\.11\nNode Version: v\d+\S*\nNode OS\/Arch: linux\/\w+\n$/,
    );
  });

  it('version loads none of the libraries and nothing for the network or the database', () => {
    const program = fileURLToPath(new URL('../../src/bin.ts', import.meta.url));
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
    expect(stderr).not.toMatch(/packages\/|node:sqlite|node:http|undici|koffi|yargs|load-config/);
  });

  it('completion prints a script that bash accepts and that knows the flags', async () => {
    const { stdout } = await rkt('completion', 'bash');
    const complete = `${stdout}\nCOMP_WORDS=(rkt image list --no) COMP_CWORD=3; _rkt; echo "\${COMPREPLY[@]}"`;
    expect(execFileSync('bash', ['-c', complete], { encoding: 'utf8' })).toBe('--no-legend\n');
    const first = `${stdout}\nCOMP_WORDS=(rkt run-p) COMP_CWORD=1; _rkt; echo "\${COMPREPLY[@]}"`;
    expect(execFileSync('bash', ['-c', first], { encoding: 'utf8' })).toBe('run-prepared\n');
    expect((await rkt('completion', 'fish')).status).toBe(254);
  });
});
