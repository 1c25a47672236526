// SPDX-License-Identifier: Apache-2.0

/** The target of the first `rel="next"` of a Link field (RFC 8288), resolved against `base`; undefined when absent. */
export function parseNextLink(field: string | undefined, base: URL): URL | undefined {
  if (field === undefined || field.length > 16_384) return undefined;
  const match = /<([^<>]*)>\s*;[^<]*?[\s;]rel\s*=\s*(?:"next"|next(?=[\s;,]|$))/i.exec(field);
  const target = match?.[1];
  return target !== undefined && URL.canParse(target, base.href) ? new URL(target, base) : undefined;
}
