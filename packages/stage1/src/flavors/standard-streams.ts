// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync } from 'node:fs';
import { Stage1Error } from '../error.ts';
import type { Host, HostProcess, Syscalls } from '../host/index.ts';

/** What an app gets as its standard output and error. */
export interface OutputStreams {
  readonly stdout: 'inherit' | number;
  readonly stderr: 'inherit' | number;
  /** To be called when the app's process has been spawned, or could not be. Resolves when all it wrote has been passed on. */
  handedOver(): { readonly drained: Promise<void> };
}

interface Relay {
  /** The end the app writes to. */
  readonly write: number;
  readonly process: HostProcess;
}

/**
 * The caller's own streams, but for sockets: under systemd, and below programs that talk to their children by socket
 * pairs. A socket cannot be opened by name, and images open theirs (`/var/log/nginx/error.log -> /dev/stderr`), so the
 * app gets a pipe there and a `cat` passes it on. That one ends with the app, not with rkt.
 */
export function outputStreams(host: Host, syscalls: Syscalls): OutputStreams {
  const relays = new Map<string, Relay>();
  const streamOf = (fd: 1 | 2): 'inherit' | number => {
    const socket = socketIdentity(fd);
    if (socket === undefined) return 'inherit';
    // One pipe for one socket, so that what goes to both stays in order.
    const relay = relays.get(socket) ?? startRelay(host, syscalls, fd);
    relays.set(socket, relay);
    return relay.write;
  };
  return {
    stdout: streamOf(1),
    stderr: streamOf(2),
    handedOver: () => {
      for (const { write } of relays.values()) closeSync(write);
      const ends = [...relays.values()].map(({ process }) => process.exit);
      return { drained: Promise.allSettled(ends).then(() => undefined) };
    },
  };
}

function socketIdentity(fd: number): string | undefined {
  try {
    const stat = fstatSync(fd);
    return stat.isSocket() ? `${stat.dev}:${stat.ino}` : undefined;
  } catch {
    // Closed by the caller: nothing to pass on to.
    return undefined;
  }
}

function startRelay(host: Host, syscalls: Syscalls, fd: number): Relay {
  const file = host.findExecutable('cat');
  if (file === undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_RUNTIME_MISSING', 'cat is not installed (Debian package coreutils)');
  }
  const { read, write } = syscalls.pipe();
  try {
    // In a session of its own: the terminal's signals are for the app, whose last words are still to come.
    const process = host.processes.spawn({ file, args: [], cwd: '/', stdio: [read, fd, 'ignore'], detached: true });
    return { write, process };
  } catch (error) {
    closeSync(write);
    throw error;
  } finally {
    closeSync(read);
  }
}
