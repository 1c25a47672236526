// SPDX-License-Identifier: Apache-2.0
import type { ImageRecord } from '@rkt/store';
import type { Session } from '../wiring/session.ts';
import { signatureNameOf } from './aci-signature.ts';
import { fetchAci } from './fetch-aci.ts';
import type { ObtainOptions } from './obtain-options.ts';

/** The ACI of an `http:` or `https:` URL, verified by the signature that is beside it. Rejects as {@link fetchAci}. */
export function fetchAciUrl(session: Session, text: string, options: ObtainOptions): Promise<ImageRecord> {
  const url = new URL(text);
  url.hash = '';
  const signatureUrl = new URL(url);
  signatureUrl.pathname = signatureNameOf(url.pathname);
  return fetchAci(session, { url, signatureUrl }, options);
}
