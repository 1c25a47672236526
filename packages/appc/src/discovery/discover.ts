// SPDX-License-Identifier: Apache-2.0
import type { DiscoveryTag } from './discovery-tags.ts';

/** An image that is looked for. */
export interface DiscoverableImage {
  readonly name: string;
  /** Values by name: `version`, `os`, `arch` and whatever a template may ask for. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Where an image and its signature should be. */
export interface ImageLocation {
  readonly image: string;
  readonly signature: string;
}

const DEFAULT_VERSION = 'latest';
/** Characters of a name or a label that is put into URLs. Those of a dependency are whatever its manifest says. */
const LONGEST_VALUE = 1024;

/**
 * The names whose pages are asked about an image, in order: its own, then every parent down to the domain. The page of
 * `example.com/app` is `https://example.com/app?ac-discovery=1`. None for what is not `domain.name[/path]`, as URLs
 * would be of something else, nor for a name of more than 1024 characters.
 */
export function discoveryNames(name: string): readonly string[] {
  if (name.length > LONGEST_VALUE) return [];
  const parts = name.split('/');
  const [domain = ''] = parts;
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/.test(domain)) return [];
  if (parts.some((part) => /^\.{0,2}$/.test(part))) return [];
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
}

/**
 * Where the tags of a page say that an image is. Templates have `{name}`, `{version}` (`latest` if nobody says which),
 * `{os}`, `{arch}`, any other label, and `{ext}`, which is `aci` or `aci.asc`; one that lacks `{ext}` or asks for what is not
 * known, or is longer than 1024 characters, leads nowhere. Values are escaped as in RFC 6570, section 3.2.2: a label cannot become another host; the name keeps
 * its slashes.
 */
export function imageLocations(
  tags: readonly DiscoveryTag[],
  { name, labels }: DiscoverableImage,
): readonly ImageLocation[] {
  const values = new Map(Object.entries({ version: DEFAULT_VERSION, ...labels }));
  values.set('name', name);
  return matching(tags, 'image', name).flatMap(({ location }) => {
    if (!location.includes('{ext}')) return [];
    const image = expand(location, new Map([...values, ['ext', 'aci']]));
    const signature = expand(location, new Map([...values, ['ext', 'aci.asc']]));
    return image === undefined || signature === undefined ? [] : [{ image, signature }];
  });
}

/** Where the tags of a page say that the keys are by which an image of that name is signed. */
export function publicKeyLocations(tags: readonly DiscoveryTag[], name: string): readonly string[] {
  return [...new Set(matching(tags, 'public-keys', name).map(({ location }) => location))];
}

function matching(tags: readonly DiscoveryTag[], kind: DiscoveryTag['kind'], name: string): readonly DiscoveryTag[] {
  return tags.filter((tag) => tag.kind === kind && name.startsWith(tag.prefix));
}

function expand(template: string, values: ReadonlyMap<string, string>): string | undefined {
  let complete = true;
  const text = template.replace(/\{([^{}]*)\}/g, (_, variable: string) => {
    const value = values.get(variable);
    if (value !== undefined && value.length <= LONGEST_VALUE) return escaped(value, variable === 'name');
    complete = false;
    return '';
  });
  return complete && !/[{}]/.test(text) ? text : undefined;
}

function escaped(value: string, keepsSlashes: boolean): string {
  const text = value.toWellFormed().replace(/[^A-Za-z0-9\-._~]/gu, (character) => {
    return keepsSlashes && character === '/' ? '/' : percentEncoded(character);
  });
  // A whole segment of dots would be resolved away: what is left of the path is another one.
  return keepsSlashes || !/^\.+$/.test(text) ? text : text.replaceAll('.', '%2E');
}

/** Of everything, `!` and `'` included, which encodeURIComponent leaves as they are. */
function percentEncoded(character: string): string {
  const encoded = encodeURIComponent(character);
  return encoded.length > 1 ? encoded : `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
