// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** What goes wrong with an answer. */
export type FaultAction =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body?: string;
    }
  /** The connection is closed after so many bytes of the body; the header fields promise all of it. */
  | { readonly kind: 'truncate'; readonly afterBytes: number }
  /** One bit of the byte at this offset of the body is flipped. */
  | { readonly kind: 'corrupt'; readonly offset: number }
  | { readonly kind: 'drip'; readonly chunkBytes: number; readonly everyMs: number }
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number }
  /** The connection is closed without an answer. */
  | { readonly kind: 'drop' }
  /** The body stops after so many bytes and the connection stays open; -1 holds back the header fields too. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** The answer is right but for these header fields; an empty value removes one. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  /** Range requests are answered with the whole blob. */
  | { readonly kind: 'ignore-range' }
  | { readonly kind: 'respond'; readonly respond: (request: IncomingMessage, response: ServerResponse) => void };

/** A fault and the requests it strikes. */
export interface Fault {
  readonly action: FaultAction;
  readonly method?: string;
  /** Part of the request's path and query. */
  readonly path?: string;
  /** @default 1 */
  readonly times?: number;
}

/** The faults of a server, in order of their addition. */
export interface FaultScript {
  add(fault: Fault): void;
  clear(): void;
  /** The fault that strikes this request; it is used up once. */
  take(method: string, path: string): FaultAction | undefined;
}

export function createFaultScript(): FaultScript {
  const entries: { readonly fault: Fault; left: number }[] = [];
  return {
    add: (fault) => {
      entries.push({ fault, left: fault.times ?? 1 });
    },
    clear: () => {
      entries.length = 0;
    },
    take: (method, path) => {
      const found = entries.find(
        ({ fault, left }) =>
          left > 0 && (fault.method ?? method) === method && (fault.path === undefined || path.includes(fault.path)),
      );
      if (found === undefined) return undefined;
      found.left -= 1;
      return found.fault.action;
    },
  };
}

/** Does what needs no real answer; false when the request is to be served, with or without a changed body. */
export function strike(action: FaultAction, request: IncomingMessage, response: ServerResponse): boolean {
  switch (action.kind) {
    case 'status':
      response.writeHead(action.status, { ...copyHeaders(action.headers) }).end(action.body ?? '');
      return true;
    case 'redirect':
      response.writeHead(action.status ?? 307, { location: action.location }).end();
      return true;
    case 'drop':
      request.socket.destroy();
      return true;
    case 'stall':
      return action.afterBytes < 0;
    case 'respond':
      action.respond(request, response);
      return true;
    default:
      return false;
  }
}

function copyHeaders(
  headers: Readonly<Record<string, string | readonly string[]>> | undefined,
): Record<string, string | string[]> {
  const entries = Object.entries(headers ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]));
}

/** The stream a struck body passes through, or undefined when the fault leaves the body alone. */
export function bodyFault(action: FaultAction | undefined, response: ServerResponse): Transform | undefined {
  switch (action?.kind) {
    case 'truncate':
      return upTo(action.afterBytes, () => response.socket?.destroy());
    case 'stall':
      return upTo(action.afterBytes, () => undefined);
    case 'corrupt':
      return flipBit(action.offset);
    case 'drip':
      return drip(action.chunkBytes, action.everyMs);
    default:
      return undefined;
  }
}

/** Passes so many bytes, calls back when they are out, and swallows the rest without ending. */
function upTo(limit: number, reached: () => void): Transform {
  let left = limit;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (part.length > 0) this.push(part);
      if (left > 0) done();
      // The bytes pushed leave with the next turns of the loop; then the connection may go.
      else setTimeout(reached, 20);
    },
  });
}

function flipBit(offset: number): Transform {
  let at = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const index = offset - at;
      at += chunk.length;
      if (index < 0 || index >= chunk.length) return done(null, chunk);
      const changed = Buffer.from(chunk);
      changed[index] = (changed[index] ?? 0) ^ 1;
      return done(null, changed);
    },
  });
}

function drip(chunkBytes: number, everyMs: number): Transform {
  return new Transform({
    async transform(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length && !this.destroyed; at += chunkBytes) {
        this.push(chunk.subarray(at, at + chunkBytes));
        await sleep(everyMs);
      }
      done();
    },
  });
}
