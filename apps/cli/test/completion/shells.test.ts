// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionScripts } from '../../src/completion/scripts.ts';
import { rktWith } from '../support/run-rkt.ts';

const program = fileURLToPath(new URL('../../src/bin.ts', import.meta.url));
let dir: string;
let env: NodeJS.ProcessEnv;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-shells-'));
  const node = `exec '${process.execPath}' --conditions=@rkt/source --disable-warning=ExperimentalWarning`;
  writeFileSync(join(dir, 'rkt'), `#!/bin/sh\n${node} '${program}' "$@"\n`);
  chmodSync(join(dir, 'rkt'), 0o755);
  writeFileSync(join(dir, 'image.aci'), '');
  for (const [shell, script] of Object.entries(completionScripts)) writeFileSync(join(dir, `script.${shell}`), script);
  env = { ...process.env, PATH: `${dir}${delimiter}${process.env['PATH']}`, HOME: dir, TERM: 'xterm' };
});
afterAll(() => rmSync(dir, { recursive: true }));

type Case = readonly [line: string, offered: readonly string[]];

/** What each shell makes of a line when TAB is pressed at its end: the candidates as bash and fish tell them. */
const cases: readonly Case[] = [
  ['rkt run-p', ['run-prepared']],
  ['rkt image list --no', ['--no-legend']],
  ['rkt image ver', ['verify']],
  ['rkt fetch --pull-policy n', ['never', 'new']],
  ['rkt run --tree-b', []],
];

/**
 * The line as it stands after TAB in an interactive shell on a terminal: it is quoted, printed and read back. Input stays open
 * until the shell has ended, as script(1) would else type an end of file whenever it thinks that nobody reads any more.
 */
async function typed(shell: string, prepare: readonly string[], line: string): Promise<string | undefined> {
  const input = [...prepare, 'cd "$HOME"', `${line}\t\x01echo "<\x05>"`, 'exit', ''].join('\n');
  const args = ['--quiet', '--return', '--command', shell, '/dev/null'];
  const child = spawn('script', args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.write(input);
  const output = await text(child.stdout);
  return /^<(.*?) ?>\r?$/m.exec(output)?.[1];
}

describe('bash', () => {
  /** What bash breaks words at, by default and as some set it. */
  const breaks = ' "\'@><=;|&(:';

  function inBash(line: string, wordBreaks = breaks): readonly string[] {
    const script = [
      'compopt() { :; }; source "$1/script.bash"; cd "$1"; COMP_WORDBREAKS=$2',
      `COMP_LINE='${line}' COMP_POINT=${line.length}`,
      `_rkt; printf "%s\\n" "\${COMPREPLY[@]}"`,
    ].join('\n');
    const answer = execFileSync('bash', ['-c', script, 'bash', dir, wordBreaks], { encoding: 'utf8', env });
    return answer.split('\n').filter((word) => word !== '');
  }

  it.each<Case>([
    ...cases,
    // Only what stands after the last = or : is replaced.
    ['rkt fetch --pull-policy=u', ['update']],
    ['rkt run --hostn', ['--hostname=']],
    ['rkt fetch ./im', ['./image.aci']],
    ['rkt fetch oci-archive:./im', ['./image.aci']],
    ['rkt status --uuid-file=im', ['image.aci']],
  ])('%s', (line, offered) => {
    expect(inBash(line)).toEqual(offered);
  });

  it('gets whole words where nothing breaks them', () => {
    expect(inBash('rkt fetch --pull-policy=u', ' ')).toEqual(['--pull-policy=update']);
    expect(inBash('rkt fetch oci-archive:./im', ' =')).toEqual(['oci-archive:./image.aci']);
  });

  it('completes what is typed', async () => {
    expect(await typed('bash --norc --noprofile -i', ['source "$HOME/script.bash"'], 'rkt image ver')).toBe(
      'rkt image verify',
    );
  });

  it('has a script that shellcheck finds nothing in', () => {
    expect(spawnSync('shellcheck', ['--shell=bash', join(dir, 'script.bash')], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stdout: '',
    });
  });
});

describe('fish', () => {
  it.each<Case>([
    ...cases,
    ['rkt fetch --pull-policy=u', ['--pull-policy=update']],
    ['rkt fetch ./im', ['./image.aci']],
  ])('%s', (line, offered) => {
    const script = 'source $argv[1]/script.fish; cd $argv[1]; complete --do-complete $argv[2]';
    const answer = execFileSync('fish', ['--no-config', '-c', script, dir, line], { encoding: 'utf8', env });
    expect(answer.split('\n').flatMap((text) => text.split('\t')[0] || [])).toEqual(offered);
  });
});

describe('zsh', () => {
  // npm sets EDITOR to vi, from which zsh concludes how it is typed at.
  const prepare = ['bindkey -e', 'PS1=', 'autoload -Uz compinit', 'compinit -u -D', `source "$HOME/script.zsh"`];

  it.each([
    ['rkt run-p', 'rkt run-prepared'],
    ['rkt im ver', 'rkt im verify'],
    ['rkt image list --no-l', 'rkt image list --no-legend'],
    ['rkt fetch --pull-policy=u', 'rkt fetch --pull-policy=update'],
    ['rkt run --hostn', 'rkt run --hostname='],
    ['rkt fetch ./im', 'rkt fetch ./image.aci'],
    ['rkt run --tree-b', 'rkt run --tree-b'],
  ])('%s', async (line, completed) => {
    expect(await typed('zsh -f -i', prepare, line)).toBe(completed);
  });
});

describe('rkt completion', () => {
  const rkt = rktWith('/nonexistent');

  it.each(Object.keys(completionScripts))('%s prints the script, which says where to put it', async (shell) => {
    const { status, stdout } = await rkt('completion', shell);
    expect([status, stdout]).toEqual([0, completionScripts[shell]]);
    expect(stdout).toContain(`To have it in every shell: rkt completion ${shell} > `);
  });

  it('knows no other shell', async () => {
    expect(await rkt('completion', 'tcsh')).toEqual({
      status: 254,
      stdout: '',
      stderr: 'completion: no completion for shell "tcsh"\nhint: there is one for bash, zsh, fish\n',
    });
  });
});
