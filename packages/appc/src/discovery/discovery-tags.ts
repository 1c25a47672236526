// SPDX-License-Identifier: Apache-2.0
import { metaElements } from './meta-elements.ts';

/** What a page says about images whose names begin with `prefix`. */
export interface DiscoveryTag {
  /** `image`: where they are; `public-keys`: where the keys are that sign them. */
  readonly kind: 'image' | 'public-keys';
  readonly prefix: string;
  /** Of an image a template, of keys a URL. */
  readonly location: string;
}

const KINDS: Readonly<Record<string, DiscoveryTag['kind']>> = {
  'ac-discovery': 'image',
  'ac-discovery-pubkeys': 'public-keys',
};
/** More than any page has. */
const MOST_TAGS = 100;
/** Characters; more than a URL has that every server takes. */
const LONGEST_LOCATION = 4096;

/**
 * The discovery tags of a page, in order, at most 100 of them, each with a location of at most 4096 characters. appc spec 0.8.11, "App Container Image Discovery":
 * `<meta name="ac-discovery" content="prefix template">`. Any text is a page; one that says nothing has no tags.
 */
export function parseDiscoveryTags(html: string): readonly DiscoveryTag[] {
  return metaElements(html).flatMap(toTag).slice(0, MOST_TAGS);
}

function toTag({ name, content }: { readonly name: string; readonly content: string }): readonly DiscoveryTag[] {
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  const [prefix = '', location = '', ...rest] = content.trim().split(/\s+/);
  return kind === undefined || location === '' || location.length > LONGEST_LOCATION || rest.length > 0
    ? []
    : [{ kind, prefix, location }];
}
