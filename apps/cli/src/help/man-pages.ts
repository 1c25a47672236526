// SPDX-License-Identifier: Apache-2.0
import { allPages, type Page } from './page.ts';
import { manPageName, renderRoff } from './roff.ts';

/** A file of a man page. */
export interface ManPage {
  /** `rkt-image-list.1` */
  readonly file: string;
  readonly content: string;
}

/** The man pages of rkt, of its groups of commands and of every command. */
export function manPages(version: string): readonly ManPage[] {
  const pages = allPages();
  return pages.map((page) => ({
    file: `${manPageName(page)}.1`,
    content: renderRoff(page, { version, seeAlso: relatives(page, pages) }),
  }));
}

/** From rkt to every page, from a command to its group and to rkt. */
function relatives(page: Page, pages: readonly Page[]): readonly string[] {
  const others = pages.filter(({ name }) => name !== page.name);
  const above = others.filter(({ name }) => page.name.startsWith(`${name} `));
  const below = others.filter(({ name }) => name.startsWith(`${page.name} `));
  return [...above, ...below].map(manPageName);
}
