// SPDX-License-Identifier: Apache-2.0

/** What stands in the place of a secret. */
export const REDACTED = '(redacted)';

/** A URL, or what is nearly one, without what may be secret: the password, or all that is before the `@`, and the query. */
export function redactUrl(url: string): string {
  const at = url.lastIndexOf('@');
  if (at < 0) return withoutQuery(url);
  const [scheme = ''] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url) ?? [];
  const login = url.slice(scheme.length, at);
  const [, user] = /^([^:/?]*):/.exec(login) ?? [];
  const shown = user === undefined ? REDACTED : `${user}:${REDACTED}`;
  return `${scheme}${shown}${withoutQuery(url.slice(at))}`;
}

/** The signature of a signed URL is in it. */
function withoutQuery(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : `${url.slice(0, query)}?${REDACTED}`;
}
