// SPDX-License-Identifier: Apache-2.0

/** What stands in the place of a secret. */
export const REDACTED = '(redacted)';

/** A URL, or what is nearly one, without what may be secret: the password, or all that is before the `@`. */
export function redactUrl(url: string): string {
  const at = url.lastIndexOf('@');
  if (at < 0) return url;
  const [scheme = ''] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url) ?? [];
  const login = url.slice(scheme.length, at);
  const colon = login.indexOf(':');
  const shown = colon < 0 ? REDACTED : `${login.slice(0, colon)}:${REDACTED}`;
  return `${scheme}${shown}${url.slice(at)}`;
}
