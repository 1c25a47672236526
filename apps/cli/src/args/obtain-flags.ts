// SPDX-License-Identifier: Apache-2.0
import type { FlagSpec } from './flag.ts';
import { type PullPolicy, pullPolicyFlag } from './pull-policy.ts';

const progress: readonly FlagSpec[] = [
  {
    name: 'progress',
    kind: 'text',
    placeholder: 'FORM',
    default: 'auto',
    choices: ['auto', 'tty', 'plain', 'json', 'none'],
    summary:
      'how progress is shown on standard error: tty (lines that are drawn again), plain (a line per layer), json (an object per event), none, or auto: tty on a terminal, else plain',
  },
  {
    name: 'quiet',
    short: 'q',
    kind: 'boolean',
    default: 'false',
    summary: 'print the result alone, and what is wrong: no progress, no notes',
  },
];

export const platformFlag: FlagSpec = {
  name: 'platform',
  kind: 'text',
  placeholder: 'OS/ARCH[/VARIANT]',
  check: requirePlatform,
  summary: "platform of the image, for example linux/arm64 (default: this machine's)",
};

const allowForeignLayers: FlagSpec = {
  name: 'allow-foreign-layers',
  kind: 'boolean',
  default: 'false',
  summary: 'fetch layers that the registry does not have from the addresses the image names, anonymously',
};

const signature: FlagSpec = {
  name: 'signature',
  kind: 'text',
  placeholder: 'FILE',
  scope: 'image',
  summary:
    'file with the signature of the ACI before it; without one, it is looked for beside the ACI, as NAME.aci.asc',
};

/** What every command takes that gets images, from the store or from where they are to be had. */
export function obtainFlags(policy: PullPolicy): readonly FlagSpec[] {
  return [pullPolicyFlag(policy), signature, platformFlag, allowForeignLayers, ...progress];
}

/** What `parsePlatform` of @rkt/registry takes, which is not loaded to read a command line. */
function requirePlatform(text: string): void {
  if (/^[A-Za-z0-9_.-]{1,64}(\/[A-Za-z0-9_.-]{1,64}){1,2}$/.test(text)) return;
  throw new Error('it must be OS/ARCH[/VARIANT], for example linux/arm64');
}
