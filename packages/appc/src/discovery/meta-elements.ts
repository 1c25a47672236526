// SPDX-License-Identifier: Apache-2.0

/** The attributes of a `meta` element that discovery looks at. */
export interface MetaElement {
  readonly name: string;
  readonly content: string;
}

/** Elements whose content is text up to their own end tag, whatever it looks like (HTML, section 13.2.5). */
const RAW_TEXT: ReadonlySet<string> = new Set([
  'script',
  'style',
  'textarea',
  'title',
  'xmp',
  'iframe',
  'noembed',
  'noframes',
]);
/** What a URL or a name in an attribute is escaped with. */
const CHARACTER_REFERENCES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * The `meta` elements of a page that have `name` and `content`, in order. Tags are told apart as browsers do it, without
 * building a document: comments, scripts and other raw text hide what is in them, and what is cut off is no tag. Takes time
 * in proportion to the page, and never throws.
 */
export function metaElements(html: string): readonly MetaElement[] {
  const found: MetaElement[] = [];
  let at = 0;
  for (;;) {
    const open = html.indexOf('<', at);
    if (open < 0) return found;
    const markup = markupEnd(html, open);
    if (markup !== undefined) {
      at = markup;
      continue;
    }
    const tag = readTag(html, open);
    if (tag === undefined) return found;
    at = tag.end;
    const { name, content } = tag.attributes;
    if (tag.name === 'meta' && name !== undefined && content !== undefined) found.push({ name, content });
    if (RAW_TEXT.has(tag.name)) at = endOfRawText(html, at, tag.name);
  }
}

/** Where what is no start tag ends: a comment, a declaration, an end tag, or a mere `<`. Undefined: it is a start tag. */
function markupEnd(html: string, open: number): number | undefined {
  const next = html[open + 1] ?? '';
  if (/[a-z]/i.test(next)) return undefined;
  if (html.startsWith('<!--', open)) {
    // `<!-->` and `<!--->` are whole comments.
    const short = /^<!--(-?)>/.exec(html.slice(open, open + 6));
    return short === null ? after(html, '-->', open + 4) : open + short[0].length;
  }
  return next === '!' || next === '?' || next === '/' ? after(html, '>', open + 1) : open + 1;
}

function after(html: string, end: string, from: number): number {
  const at = html.indexOf(end, from);
  return at < 0 ? html.length : at + end.length;
}

interface Tag {
  readonly name: string;
  readonly attributes: { readonly name?: string; readonly content?: string };
  readonly end: number;
}

const TAG_NAME = /<([^\s/>]+)/y;
const ATTRIBUTE = /[\s/]*([^\s/>=][^\s/>=]*|=[^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*))?)?/y;
const TAG_END = /[\s/]*>/y;

/** Undefined for a tag that the page ends in. Of an attribute that comes twice, the first counts. */
function readTag(html: string, open: number): Tag | undefined {
  const name = matchAt(TAG_NAME, html, open)?.[1];
  if (name === undefined) return undefined;
  const attributes: { name?: string; content?: string } = {};
  let at = open + 1 + name.length;
  for (;;) {
    const close = matchAt(TAG_END, html, at);
    if (close !== null) return { name: name.toLowerCase(), attributes, end: at + close[0].length };
    const attribute = matchAt(ATTRIBUTE, html, at);
    if (attribute === null || attribute[0] === '') return undefined;
    const [whole, key = '', double, single, bare] = attribute;
    at += whole.length;
    // A quotation mark that is never closed takes the rest of the page.
    if (whole.endsWith('=') && /["']/.test(html[at] ?? '')) return undefined;
    const known = key.toLowerCase();
    if (known === 'name' || known === 'content') attributes[known] ??= decoded(double ?? single ?? bare ?? '');
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function endOfRawText(html: string, from: number, name: string): number {
  const end = new RegExp(`</${name}[\\s/>]`, 'gi');
  end.lastIndex = from;
  return end.exec(html)?.index ?? html.length;
}

function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (whole, decimal, hex, named) => {
    if (named !== undefined) return CHARACTER_REFERENCES[String(named).toLowerCase()] ?? whole;
    const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
