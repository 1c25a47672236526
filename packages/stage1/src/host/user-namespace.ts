// SPDX-License-Identifier: Apache-2.0
import { readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Stage1Error } from '../error.ts';
import type { IdRange } from '../oci-spec/index.ts';
import { quote } from '../quote.ts';
import type { Host } from './host.ts';
import { type NamespaceKind, skipAddressDetection } from './namespaces.ts';
import type { HostProcess } from './processes.ts';

export interface UserNamespaceRequest {
  /** Whom of the host its users, and groups, are. */
  readonly users: IdRange;
  /** Namespaces its root has power over. */
  readonly kinds: readonly Exclude<NamespaceKind, 'mnt'>[];
  /** Done in a new mount namespace of the host's users, in which the process is, too. */
  readonly prepareMounts: () => void;
}

/**
 * Makes a user namespace, and others that belong to it, and a process that keeps them and ends with us: it reads from a
 * pipe only we write to.
 *
 * A process with several threads, as this one, can neither make a user namespace nor join one, so two of util-linux do: the
 * first makes it, for us to say who its users are; the second becomes its root, who owns whatever is made from there on.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_USER_NAMESPACE_UNAVAILABLE
 */
export async function holdUserNamespace(host: Host, request: UserNamespaceRequest): Promise<HostProcess> {
  const { users, kinds, prepareMounts } = request;
  const unshare = requireProgram(host, 'unshare');
  const nsenter = requireProgram(host, 'nsenter');
  const cat = requireProgram(host, 'cat');
  const { namespaces } = await host.kernel();
  const spawn = (args: readonly string[]): HostProcess => {
    const [file = '', ...rest] = args;
    return host.processes.spawn({ file, args: rest, cwd: '/', stdio: ['pipe', 'ignore', 'pipe'], detached: true });
  };
  const maker = namespaces.inNew(['mnt'], () => {
    prepareMounts();
    return spawn([unshare, '--user', '--', cat]);
  });
  try {
    await awaitNamespace(host, maker, 'user');
    writeMaps(maker.pid, users);
    const command = [unshare, ...kinds.map((kind) => `--${kind}`), '--', cat];
    const keeper = namespaces.inMount(`/proc/${maker.pid}/ns/mnt`, () =>
      spawn([nsenter, `--user=/proc/${maker.pid}/ns/user`, '--', ...command]),
    );
    try {
      for (const kind of ['user', ...kinds]) await awaitNamespace(host, keeper, kind);
      if (kinds.includes('net')) namespaces.inThoseOf(keeper.pid, ['net'], skipAddressDetection);
    } catch (error) {
      keeper.signal('SIGKILL');
      throw error;
    }
    return keeper;
  } finally {
    // At once, not as a tree is killed: stopped by somebody who is killed himself, it would stay for ever.
    maker.signal('SIGKILL');
  }
}

function requireProgram(host: Host, name: string): string {
  const file = host.findExecutable(name);
  if (file !== undefined) return file;
  throw unavailable(`${name} is not installed (Debian packages util-linux, coreutils)`);
}

/** user_namespaces(7), "Defining user and group ID mappings": once, whole, by somebody with power over these ids. */
function writeMaps(pid: number, { first, count }: IdRange): void {
  for (const map of ['uid_map', 'gid_map']) {
    try {
      writeFileSync(`/proc/${pid}/${map}`, `0 ${first} ${count}\n`, { flag: 'r+' });
    } catch (error) {
      throw unavailable(`cannot give users ${first} to ${first + count - 1} of the host to it`, error);
    }
  }
}

const patienceMs = 5_000;

/** The kernel tells nobody when a process has changed its namespace. */
async function awaitNamespace(host: Host, child: HostProcess, kind: string): Promise<void> {
  const ours = namespaceOf('self', kind);
  const end = performance.now() + patienceMs;
  while (performance.now() < end) {
    const theirs = namespaceOf(String(child.pid), kind);
    if (theirs !== undefined && theirs !== ours) return;
    if (host.processes.identify(child.pid) === undefined) break;
    await delay(1);
  }
  child.signal('SIGKILL');
  await child.exit;
  throw unavailable(quote(child.errorOutput().trim() || `no ${kind} namespace was made`, 300));
}

function namespaceOf(pid: string, kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    // It has ended, as the caller finds out.
    return undefined;
  }
}

function unavailable(reason: string, cause?: unknown): Stage1Error {
  const message = `this host makes no user namespace: ${reason}`;
  return new Stage1Error('ERR_RKT_STAGE1_USER_NAMESPACE_UNAVAILABLE', message, { cause });
}
