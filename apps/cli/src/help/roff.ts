// SPDX-License-Identifier: Apache-2.0
import type { Entry, Page, Section } from './page.ts';

/** What a man page says about its program besides what is on the page. */
export interface ManPageFacts {
  readonly version: string;
  /** Names of the pages that are referred to at the end. */
  readonly seeAlso: readonly string[];
}

/** Exit statuses are the same for all commands; see `exit-status.ts`. */
const EXIT_STATUS: Section = {
  title: 'EXIT STATUS',
  entries: [
    { term: '0', text: 'success' },
    { term: '2', text: 'no command was given' },
    {
      term: '129, 130, 143',
      text: 'SIGHUP, SIGINT (Ctrl-C) or SIGTERM has ended rkt itself, after what it had begun was cleared away',
    },
    { term: '254', text: 'rkt could not do it: standard error says why' },
    {
      term: 'other',
      text: "the app's own, of run, run-prepared, app start, attach and enter; if a signal ended the app, 128 and the number of the signal: 137 when it was killed",
    },
  ],
};

/** The name of the page's file without the section: `rkt-image-list`. */
export function manPageName({ name }: Page): string {
  return name.replaceAll(' ', '-');
}

/** A page for man(1), in the macros of man(7). */
export function renderRoff(page: Page, { version, seeAlso }: ManPageFacts): string {
  const { name, usage, summary, description, sections } = page;
  const title = manPageName(page).toUpperCase();
  const lines = [
    `.TH ${escaped(title)} 1 "" "rkt ${escaped(version)}" "User Commands"`,
    '.SH NAME',
    `${escaped(manPageName(page))} \\- ${escaped(summary)}`,
    '.SH SYNOPSIS',
    `.B ${escaped(name)}`,
    ...(usage === '' ? [] : [line(usage)]),
    '.SH DESCRIPTION',
    ...[`${summary}.`, ...description].flatMap((paragraph, index) => [
      ...(index === 0 ? [] : ['.PP']),
      line(paragraph),
    ]),
    ...[...sections, EXIT_STATUS].flatMap(sectionLines),
    '.SH SEE ALSO',
    ...seeAlso.map((other, index) => `.BR ${escaped(other)} (1)${index === seeAlso.length - 1 ? '' : ','}`),
  ];
  return `${lines.join('\n')}\n`;
}

function sectionLines({ title, entries }: Section): readonly string[] {
  return [`.SH ${escaped(title)}`, ...entries.flatMap(entryLines)];
}

function entryLines({ term, text }: Entry): readonly string[] {
  return ['.TP', term.startsWith('-') ? flagTerm(term) : `.B ${escaped(term)}`, line(text)];
}

/** What is typed in bold, what stands for a value in italics: `\fB\-\-net\fR[=\fINETWORKS\fR]`. */
function flagTerm(term: string): string {
  const [, flags = '', value = ''] = /^(.*?--[a-z0-9-]+)(.*)$/.exec(term) ?? [];
  const bold = flags.split(', ').map((flag) => `\\fB${escaped(flag)}\\fR`);
  const italic = escaped(value).replace(/[A-Z]+/g, (word) => `\\fI${word}\\fR`);
  return bold.join(', ') + italic;
}

/** A line of text: what would be taken for a request at its beginning is not. */
function line(text: string): string {
  const safe = escaped(text);
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

function escaped(text: string): string {
  return text.replace(/[\\\-'"`^~]/g, (character) => ESCAPES[character] ?? character);
}
