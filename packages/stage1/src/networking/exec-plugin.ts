// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';

/** One run of a CNI plugin or of iptables. */
export interface PluginInvocation {
  /** An absolute path, or a name to find on the invocation's own PATH. */
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** What is kept of each output stream. @default 1 MiB */
  readonly maxOutputBytes?: number;
  readonly signal: AbortSignal | undefined;
}

export interface PluginExit {
  /** 128 + signal number when killed. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Rejects with the system's error when the program cannot be started, and with the signal's reason when aborted. */
export type ExecPlugin = (invocation: PluginInvocation) => Promise<PluginExit>;

/** A plugin that hangs must not hang the pod for ever; dhcp is the slowest and gives up after less. */
const timeoutMs = 60_000;
const defaultOutputBytes = 1024 * 1024;

/** The real thing: a child process with capped output and 60 s of time. */
export const spawnPlugin: ExecPlugin = async (invocation) => {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = invocation.signal ? AbortSignal.any([invocation.signal, timeout]) : timeout;
  signal.throwIfAborted();
  const child = spawn(invocation.file, invocation.args, {
    env: { ...invocation.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { maxOutputBytes = defaultOutputBytes } = invocation;
  const stdout = collect(child.stdout, maxOutputBytes);
  const stderr = collect(child.stderr, maxOutputBytes);
  // A plugin may exit without reading its input; the broken pipe says nothing its exit status does not.
  child.stdin.on('error', () => undefined);
  child.stdin.end(invocation.stdin);
  const exitCode = await exitOf(child, signal);
  return { exitCode, stdout: stdout(), stderr: stderr() };
};

async function exitOf(child: ChildProcess, signal: AbortSignal): Promise<number> {
  let kill: (() => void) | undefined;
  try {
    return await new Promise((resolve, reject) => {
      kill = () => {
        child.kill('SIGKILL');
        reject(signal.reason);
      };
      signal.addEventListener('abort', kill, { once: true });
      child.once('error', reject);
      child.once('close', (code, killedBy) => resolve(code ?? 128 + (killedBy ? constants.signals[killedBy] : 0)));
    });
  } finally {
    if (kill) signal.removeEventListener('abort', kill);
  }
}

/** Reads to the end, so that the writer never blocks, but keeps no more than the cap. */
function collect(stream: NodeJS.ReadableStream, maxBytes: number): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, maxBytes - size);
    size += kept.length;
    if (kept.length > 0) chunks.push(kept);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
