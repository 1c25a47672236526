// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from './command.ts';

/** `rkt trust` */
export const trustCommand: CommandSpec = {
  name: 'trust',
  summary: 'Trust a key for image verification',
  usage: '--prefix=PREFIX|--root [PUBKEY...]',
  description: [
    'Adds OpenPGP keys to the trusted ones, by which ACIs are verified when they are fetched. PUBKEY is a file or a URL.',
    'PREFIX is the name of an image, or a part of it before a slash. Without a PUBKEY, the pages of PREFIX are asked where its',
    'keys are. Fingerprints are shown and have to be confirmed on a terminal. With --root a key is trusted for all images.',
  ].join('\n'),
  flags: [
    {
      name: 'insecure-allow-http',
      kind: 'boolean',
      default: 'false',
      summary: 'allow keys, and the pages that say where they are, to come over plain HTTP',
    },
    { name: 'prefix', kind: 'text', placeholder: 'PREFIX', summary: 'the images the key is trusted for' },
    { name: 'root', kind: 'boolean', default: 'false', summary: 'trust the key for all images' },
    {
      name: 'skip-fingerprint-review',
      kind: 'boolean',
      default: 'false',
      summary: 'trust the key without asking',
    },
  ],
  operands: 'anywhere',
};
