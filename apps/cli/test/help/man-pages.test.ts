// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/args/commands.ts';
import { failureStatus, missingCommandStatus, signalStatus } from '../../src/exit-status.ts';
import { manPages } from '../../src/help/man-pages.ts';
import { renderRoff } from '../../src/help/roff.ts';
import { rktWith } from '../support/run-rkt.ts';

const rkt = rktWith('/nonexistent');
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-man-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** What mandoc has to say about a page, and the page as man(1) shows it. */
function mandoc(...args: readonly string[]): string {
  const { stdout, stderr, error } = spawnSync('mandoc', args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout + stderr;
}

/** Text without line breaks, overstrikes and dashes that a formatter puts in. */
function words(text: string): string {
  return text
    .replace(/.\u0008/g, '')
    .replace(/[‐−]/g, '-')
    .replace(/(?<=\S)-\n\s+/g, '-')
    .replace(/\s+/g, ' ');
}

describe('help --man-pages', () => {
  const shown = commands.filter(({ hidden }) => hidden !== true);

  it('writes a page for rkt, for every group and for every command', async () => {
    const target = join(dir, 'share/man1');
    expect(await rkt('help', `--man-pages=${target}`)).toEqual({ status: 0, stdout: '', stderr: '' });
    const names = ['rkt', 'rkt image', ...shown.map(({ name }) => `rkt ${name}`)];
    const expected = [...new Set(names)].map((name) => `${name.replaceAll(' ', '-')}.1`);
    expect(readdirSync(target)).toEqual(expect.arrayContaining(expected));
    // Again, over what is there.
    expect((await rkt('help', `--man-pages=${target}`)).status).toBe(0);
    expect(readdirSync(target)).toHaveLength(manPages('1').length);
  });

  it('says what cannot be written, and takes no command', async () => {
    expect(await rkt('help', '--man-pages=/etc/passwd/man1')).toMatchObject({
      status: 254,
      stderr: 'help: cannot write "/etc/passwd/man1": not a directory\n',
    });
    expect((await rkt('help', `--man-pages=${dir}`, 'list')).status).toBe(254);
  });

  it('writes pages that mandoc finds nothing wrong with', () => {
    const files = readdirSync(join(dir, 'share/man1')).map((file) => join(dir, 'share/man1', file));
    // A date would differ from build to build.
    const complaints = mandoc('-Tlint', '-Wwarning', ...files)
      .split('\n')
      .filter((line) => line !== '' && !/missing date, using ""/.test(line));
    expect(complaints).toEqual([]);
  });

  it.each(shown.map(({ name }) => name))('says of %s what help says', async (name) => {
    const help = (await rkt('help', ...name.split(' '))).stdout;
    const page = words(mandoc('-Tutf8', '-Owidth=200', join(dir, `share/man1/rkt-${name.replace(' ', '-')}.1`)));
    const lines = help.split('\n').flatMap((line) => line.split(/ {2,}/));
    for (const text of lines.filter((part) => part !== '' && !/^(OPTIONS|GLOBAL)/.test(part))) {
      expect(page).toContain(words(text).trim());
    }
  });
});

describe('a man page', () => {
  it('shows what is said, whatever characters are in it', () => {
    const text = `.so /etc/passwd and \\fB 'quotes' "more" ~ ^ \` \\n(.x`;
    const page = {
      name: 'rkt x',
      usage: '',
      summary: 'x',
      description: [text],
      sections: [{ title: 'OPTIONS', entries: [{ term: '-p, --port=NAME:[IP:]PORT', text: `'${text}` }] }],
    };
    const roff = renderRoff(page, { version: '1', seeAlso: ['rkt'] });
    expect(roff).not.toMatch(/^[.']so/m);
    const shownText = words(spawnSync('mandoc', ['-Tutf8', '-Owidth=200'], { input: roff, encoding: 'utf8' }).stdout);
    expect(shownText).toContain(` ${text} `);
    expect(shownText).toContain(` '${text} `);
    expect(shownText).toContain('-p, --port=NAME:[IP:]PORT');
  });

  it('says what the statuses are, those of a signal that has ended rkt included', () => {
    for (const { file, content } of manPages('1')) {
      const statuses = content.slice(content.indexOf('.SH EXIT STATUS'), content.indexOf('.SH SEE ALSO'));
      const terms = [...statuses.matchAll(/^\.B (.*)$/gm)].map(([, term]) => term);
      expect(terms, file).toEqual(['0', '2', '129, 130, 143', '254', 'other']);
    }
    expect([failureStatus, missingCommandStatus]).toEqual([254, 2]);
    expect((['SIGHUP', 'SIGINT', 'SIGTERM'] as const).map(signalStatus).join(', ')).toBe('129, 130, 143');
  });

  it('says what a POD is, where there is one', () => {
    const pages = manPages('1').filter(({ content }) => content.includes('POD is a UUID'));
    expect(pages.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['rkt-logs.1', 'rkt-stop.1', 'rkt-app-add.1']),
    );
    expect(pages.map(({ file }) => file)).not.toContain('rkt-run.1');
  });

  it('refers to its relatives', () => {
    const list = manPages('1').find(({ file }) => file === 'rkt-image-list.1');
    expect(list?.content).toContain('.SH SEE ALSO\n.BR rkt (1),\n.BR rkt\\-image (1)\n');
    expect(readFileSync(join(dir, 'share/man1/rkt.1'), 'utf8')).toContain('.BR rkt\\-image\\-list (1)');
  });
});
