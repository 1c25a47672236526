// SPDX-License-Identifier: Apache-2.0
import type { FlagSpec, FlagValues } from './flag.ts';

/** When the registry is asked for an image: never, only for new ones, or whenever it may have changed. */
export type PullPolicy = 'never' | 'new' | 'update';

export function pullPolicyFlag(policy: PullPolicy): FlagSpec {
  return {
    name: 'pull-policy',
    kind: 'text',
    placeholder: 'POLICY',
    default: policy,
    choices: ['never', 'new', 'update'],
    summary: 'when to ask the registry: never, new (unless the store has the image) or update (if it has changed)',
  };
}

export function pullPolicyOf(flags: FlagValues): PullPolicy {
  const text = flags.text('pull-policy');
  return text === 'never' || text === 'update' ? text : 'new';
}
