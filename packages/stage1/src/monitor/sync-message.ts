// SPDX-License-Identifier: Apache-2.0

/** What conmon says first: the process of the container it had created, or why the runtime refused to create one. */
export type SyncMessage = { readonly pid: number } | { readonly refused: string };

/** Undefined for what is no such message. */
export function parseSyncMessage(text: string): SyncMessage | undefined {
  let value: unknown;
  try {
    // A line break in the runtime's complaint is not escaped by every version.
    value = JSON.parse(text.trim().replaceAll('\n', ' '));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const data: unknown = Reflect.get(value, 'data');
  const message: unknown = Reflect.get(value, 'message');
  if (typeof data !== 'number' || !Number.isInteger(data)) return undefined;
  return data > 0 ? { pid: data } : { refused: typeof message === 'string' ? message : '' };
}
