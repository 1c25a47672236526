// SPDX-License-Identifier: Apache-2.0

/** The process around the command; a test gives its own. */
export interface CommandIo {
  /** Where ACIs are written. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly signal: AbortSignal;
  out(text: string): void;
  err(text: string): void;
  warn(message: string): void;
}
