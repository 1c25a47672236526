// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, readlinkSync, type Stats } from 'node:fs';
import { isatty } from 'node:tty';
import { Stage1Error } from '../error.ts';
import type { Host, HostProcess, Syscalls } from '../host/index.ts';

export interface StreamOptions {
  /** Whether the app gets the caller's standard input; it gets an empty one otherwise. */
  readonly stdin: boolean;
  /**
   * Whether the app's user is another one of the host's. crun 1.8 makes it the owner of whatever it is to have as a standard
   * stream: of a file the output goes to, and of the host's own /dev/null.
   */
  readonly privateUsers: boolean;
  /** None of the caller's: an empty input, and what is written goes nowhere. @default false */
  readonly quiet?: boolean;
}

/** What an app gets as its standard streams. */
export interface StandardStreams {
  readonly stdin: 'ignore' | 'inherit' | number;
  readonly stdout: 'ignore' | 'inherit' | number;
  readonly stderr: 'ignore' | 'inherit' | number;
  /** To be called when the app's process has been spawned, or could not be. */
  handedOver(): HandedOver;
}

export interface HandedOver {
  /** To be called when the app has ended. Resolves when all it wrote has been passed on. */
  drained(): Promise<void>;
}

interface Relay {
  /** The end of the app's. */
  readonly end: number;
  readonly process: HostProcess;
}

/**
 * The caller's own streams, but for sockets: under systemd, and below programs that talk to their children by socket
 * pairs. A socket cannot be opened by name, and images open theirs (`/var/log/nginx/error.log -> /dev/stderr`), so the
 * app gets a pipe there and a `cat` passes it on. That one ends with the app, not with rkt. With private users the same is
 * done for everything but pipes without a name, whose owner matters to nobody, and terminals, which runtimes leave as they are.
 */
export function standardStreams(host: Host, syscalls: Syscalls, options: StreamOptions): StandardStreams {
  const { stdin, privateUsers, quiet = false } = options;
  if (quiet) return privateUsers ? discarded(host, syscalls) : nothing;
  const relays = new Map<string, Relay>();
  const outputOf = (fd: 1 | 2): 'inherit' | number => {
    const file = identityOf(fd, (stat) => stat.isSocket() || (privateUsers && !isPassable(fd, stat)));
    if (file === undefined) return 'inherit';
    // One pipe for one file, so that what goes to both stays in order.
    const relay = relays.get(file) ?? startRelay(host, syscalls, { fd, isInput: false });
    relays.set(file, relay);
    return relay.end;
  };
  let input: Relay | undefined;
  let empty: number | undefined;
  if (stdin && privateUsers && identityOf(0, (stat) => !isPassable(0, stat)) !== undefined) {
    input = startRelay(host, syscalls, { fd: 0, isInput: true });
  } else if (!stdin && privateUsers) empty = emptyPipe(syscalls);
  return {
    stdin: input?.end ?? empty ?? (stdin ? 'inherit' : 'ignore'),
    stdout: outputOf(1),
    stderr: outputOf(2),
    handedOver: () => {
      const outputs = [...relays.values()];
      for (const { end } of [...outputs, ...(input ? [input] : [])]) closeSync(end);
      if (empty !== undefined) closeSync(empty);
      const ends = Promise.allSettled(outputs.map(({ process }) => process.exit));
      return {
        drained: async () => {
          // It may wait for more of what nobody reads any more.
          input?.process.signal('SIGKILL');
          await ends;
        },
      };
    },
  };
}

const nothing: StandardStreams = {
  ...{ stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
  handedOver: () => ({ drained: async () => undefined }),
};

/** Nobody waits for the one who reads it: what the app leaves running may write on. */
function discarded(host: Host, syscalls: Syscalls): StandardStreams {
  const input = emptyPipe(syscalls);
  let output: Relay;
  try {
    output = startRelay(host, syscalls, { fd: 'ignore', isInput: false });
  } catch (error) {
    closeSync(input);
    throw error;
  }
  output.process.unref();
  return {
    ...{ stdin: input, stdout: output.end, stderr: output.end },
    handedOver: () => {
      closeSync(input);
      closeSync(output.end);
      return nothing.handedOver();
    },
  };
}

/** One that has a name (fifo(7)) is a file of the host. */
function isPassable(fd: number, stat: Stats): boolean {
  return stat.isFIFO() ? readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:') : isatty(fd);
}

/** As /dev/null, and nobody else's. */
function emptyPipe(syscalls: Syscalls): number {
  const { read, write } = syscalls.pipe();
  closeSync(write);
  return read;
}

/** Of an open file that is of the kind asked for. */
function identityOf(fd: number, isWanted: (stat: Stats) => boolean): string | undefined {
  try {
    const stat = fstatSync(fd);
    return isWanted(stat) ? `${stat.dev}:${stat.ino}` : undefined;
  } catch {
    // Closed by the caller: nothing to pass on to.
    return undefined;
  }
}

interface RelayedFile {
  readonly fd: number | 'ignore';
  /** Whether it is read from. */
  readonly isInput: boolean;
}

function startRelay(host: Host, syscalls: Syscalls, { fd, isInput }: RelayedFile): Relay {
  const file = host.findExecutable('cat');
  if (file === undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_RUNTIME_MISSING', 'cat is not installed (Debian package coreutils)');
  }
  const { read, write } = syscalls.pipe();
  const [ours, end] = isInput ? [write, read] : [read, write];
  try {
    // In a session of its own: the terminal's signals are for the app, whose last words are still to come.
    const stdio = [...(isInput ? [fd, ours] : [ours, fd]), 'ignore'] as const;
    return { end, process: host.processes.spawn({ file, args: [], cwd: '/', stdio, detached: true }) };
  } catch (error) {
    closeSync(end);
    throw error;
  } finally {
    closeSync(ours);
  }
}
