// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../render/quote.ts';
import { redactUrl } from './redact.ts';

const LOCATION = /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(\/[a-z0-9._/-]+)?$/;

/** Checks where a server is: `host[:port][/path]`. Throws an Error that names the field `what` for anything else. */
export function requireLocation(location: string, what: string): void {
  const leavesPath = location.split('/').some((part) => part === '.' || part === '..');
  if (LOCATION.test(location) && !leavesPath && URL.canParse(`https://${location}`)) return;
  throw new Error(`${what} must be host[:port][/path], got ${quote(redactUrl(location))}`);
}
