// SPDX-License-Identifier: Apache-2.0
import { codeOf, isCliError } from '../errors.ts';
import { type ErrorFacts, hintFor } from './hints.ts';
import { oneLine } from './quote.ts';

const MAX_CAUSES = 16;

/** How an error is to be shown. */
export interface ErrorStyle {
  /** What the line begins with, `fetch` for example, or `pull` where that was typed. */
  readonly prefix: string;
  /** The last word of the command's own name. @default the prefix */
  readonly command?: string;
  /** Show what led to the error, each cause on its own line. */
  readonly debug: boolean;
  /** What hints call LOCAL_CONFIG: the directory for what an administrator configures. @default '/etc/rkt' */
  readonly localConfig?: string;
}

/**
 * An error for standard error: one line, and a line that says what to do where that is known. What nobody foresaw is
 * shown with its stack, for a report.
 */
export function renderError(error: unknown, style: ErrorStyle): string {
  const { prefix, debug } = style;
  const lines = isExpected(error) ? [`${prefix}: ${messageOf(error)}`] : unexpected(error, prefix);
  if (debug) lines.push(...causesOf(error));
  const { hint } = describeError(error, style);
  if (hint !== undefined) lines.push(`hint: ${hint}`);
  return `${lines.join('\n')}\n`;
}

/** An error in parts, each of them one safe line. */
export interface ErrorDescription {
  readonly code: string | undefined;
  readonly message: string;
  /** What to do about it, where that is known. */
  readonly hint: string | undefined;
}

/** What there is to say about an error after a command. */
export function describeError(
  error: unknown,
  { prefix, command = prefix, localConfig = '/etc/rkt' }: Omit<ErrorStyle, 'debug'>,
): ErrorDescription {
  const code = codeOf(error);
  const hint = isCliError(error) && error.hint !== undefined ? error.hint : hintFor(code, command, factsOf(error));
  return {
    code: code === undefined ? undefined : oneLine(code),
    message: messageOf(error),
    hint: hint === undefined ? undefined : oneLine(hint.replaceAll('LOCAL_CONFIG', () => localConfig)),
  };
}

function isExpected(error: unknown): boolean {
  if (codeOf(error)?.startsWith('ERR_RKT_') === true) return true;
  return error instanceof Error && 'syscall' in error;
}

function unexpected(error: unknown, prefix: string): string[] {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const frames = stack
    .split('\n')
    .slice(1, MAX_CAUSES)
    .map((line) => `  ${oneLine(line.trim())}`);
  return [`${prefix}: unexpected error: ${messageOf(error)}`, ...frames];
}

function causesOf(error: unknown): readonly string[] {
  const lines: string[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  for (let depth = 0; cause !== undefined && depth < MAX_CAUSES; depth += 1) {
    const code = codeOf(cause);
    lines.push(`${'  '.repeat(depth)}└─${messageOf(cause)}${code === undefined ? '' : ` [${oneLine(code)}]`}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return lines;
}

function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

function factsOf(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return {};
  const known = new Map(Object.entries(error));
  const text = (name: 'origin' | 'reference' | 'credentialSource'): ErrorFacts => {
    const value: unknown = known.get(name);
    return typeof value === 'string' ? { [name]: value } : {};
  };
  const platforms: unknown = known.get('platforms');
  const causeCode = codeOf(error.cause);
  return {
    ...text('origin'),
    ...text('reference'),
    ...text('credentialSource'),
    ...(causeCode === undefined ? {} : { causeCode }),
    ...(Array.isArray(platforms) ? { platforms: platforms.map(String) } : {}),
  };
}
