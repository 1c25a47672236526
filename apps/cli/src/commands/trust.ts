// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import { usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { isPrefix } from '../trust/keystore.ts';
import { discoverKeys, trustKeys } from '../trust/trust-keys.ts';
import type { Session } from '../wiring/session.ts';

export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const prefix = prefixOf(flags.text('prefix') || undefined, flags.boolean('root'));
  const allowHttp = flags.boolean('insecure-allow-http');
  if (prefix === undefined && operands.length === 0) {
    throw usageError('a key for all images cannot be discovered', 'name its file: rkt trust --root FILE');
  }
  const { found, overHttps } =
    prefix === undefined || operands.length > 0
      ? { found: operands, overHttps: true }
      : await discoverKeys(session, prefix, allowHttp);
  await trustKeys(session, found, {
    prefix,
    skipReview: flags.boolean('skip-fingerprint-review'),
    overHttps,
    allowHttp,
    httpFlag: '--insecure-allow-http',
    output: 'stdout',
  });
  return 0;
}

function prefixOf(prefix: string | undefined, root: boolean): string | undefined {
  if (prefix === undefined) {
    if (root) return undefined;
    throw usageError(
      'a key has to be trusted for the images whose names begin with a prefix, or else for all of them',
      'give --prefix=example.com/app, or --root',
    );
  }
  if (root) throw usageError('--root and --prefix usage mutually exclusive');
  const scheme = /^([a-z][a-z0-9+.-]*:\/\/)/i.exec(prefix)?.[1];
  if (scheme !== undefined) throw usageError(`--prefix must not contain a URL scheme, omit ${scheme}`);
  if (isPrefix(prefix)) return prefix;
  throw usageError(`${quote(prefix)} is no name of images or a part of one before a slash`);
}
