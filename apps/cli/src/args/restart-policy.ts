// SPDX-License-Identifier: Apache-2.0

/** When an app that has ended by itself is started again. */
export interface RestartPolicy {
  readonly when: 'no' | 'on-failure' | 'always';
  /** At most so often; may be infinite. */
  readonly limit: number;
}

/**
 * Reads `no`, `on-failure[:N]`, `always` or `unless-stopped`. Nothing of rkt starts with the machine, so the last two are
 * the same. Throws an Error for what is none.
 */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [, name, limit] = /^(no|on-failure|always|unless-stopped)(?::(\d{1,6}))?$/.exec(text) ?? [];
  if (name === undefined || (limit !== undefined && name !== 'on-failure')) {
    throw new Error('it must be no, on-failure[:N], always or unless-stopped');
  }
  const when = name === 'unless-stopped' ? 'always' : name === 'always' || name === 'on-failure' ? name : 'no';
  // docker takes 0 for no limit.
  return { when, limit: Number(limit ?? 0) || Number.POSITIVE_INFINITY };
}
