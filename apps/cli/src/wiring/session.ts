// SPDX-License-Identifier: Apache-2.0
import { realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Runtime } from '@rkt/stage1';
import type { Store } from '@rkt/store';
import type { Globals } from '../args/global-flags.ts';
import type { Downloads } from '../downloads/downloads.ts';
import { CliError, errnoOf, reasonOf } from '../errors.ts';
import { createMessages, type MessageForm, type Messages } from '../render/messages.ts';
import { quote } from '../render/quote.ts';
import type { Config } from './config/config.ts';
import { createInterrupts, type Interrupts } from './interrupts.ts';
import type { Io } from './io.ts';
import type { Libraries, RegistryAccess } from './libraries.ts';

const DEFAULT_DATA_DIR = '/var/lib/rkt';
const KERNEL_FILES = /^\/(proc|sys)(\/|$)/;

/** What a command works with. Everything is opened when it is first asked for and closed with the session. */
export interface Session extends AsyncDisposable, Messages {
  readonly io: Io;
  readonly globals: Globals;
  readonly libraries: Libraries;
  readonly interrupts: Interrupts;
  /** The last word of the command's own name. */
  readonly command: string;
  config(): Promise<Config>;
  dataDir(): Promise<string>;
  /** The store, which is made if there is none. */
  store(): Promise<Store>;
  /**
   * The store if there is one, for a command that works on what is there; with `read` also where the caller may only
   * read it. Where a data directory that was named is not there, that is said: it may be a mistake.
   */
  existingStore(use: 'read' | 'change'): Promise<Store | undefined>;
  /** Says so where a data directory that was named is not there. */
  noteMissingData(): Promise<void>;
  registry(): Promise<RegistryAccess>;
  /** Web servers of ACIs, their signatures and keys. */
  downloads(): Promise<Downloads>;
  runtime(): Promise<Runtime>;
  /** What the command itself says with `--debug` alone. */
  debug(message: string): void;
}

export interface SessionOptions {
  readonly io: Io;
  readonly globals: Globals;
  readonly libraries: Libraries;
  /** What messages of the command begin with. */
  readonly prefix: string;
  /** The last word of its own name. @default the prefix */
  readonly command?: string;
  /** @default 'text' */
  readonly form?: MessageForm;
}

export function createSession({
  io,
  globals,
  libraries,
  prefix,
  command = prefix,
  form = 'text',
}: SessionOptions): Session {
  const closing: AsyncDisposable[] = [];
  const messages = createMessages(io, {
    ...{ prefix, command, form },
    debug: globals.debug,
    localConfig: globals.localConfig,
  });
  const { say, warn } = messages;
  const interrupts = createInterrupts(io);
  // Silence, which is what the original made of them, would hide a slip of the hand.
  const tellMissing = once(async () => {
    for (const dir of globals.namedConfigDirs) {
      if (!mayExist(dir)) warn(`configuration directory ${quote(dir)} does not exist`);
    }
  });
  const config = once(async () => {
    const { loadConfig } = await import('./config/load-config.ts');
    await tellMissing();
    return loadConfig(globals.configDirs);
  });
  const dataDir = once(async () => resolveDataDir(globals.dir ?? (await config()).dataDir?.path ?? DEFAULT_DATA_DIR));
  const closed = <T extends AsyncDisposable>(opened: T): T => {
    closing.push(opened);
    return opened;
  };
  const openStore = once(async (use: 'read' | 'change') => {
    return closed(await libraries.openStore(await dataDir(), { readOnly: use === 'read' && io.uid !== 0 }));
  });
  const existingStore = async (use: 'read' | 'change'): Promise<Store | undefined> => {
    const dir = await dataDir();
    // Whatever else there may be: it is the store's to say whether it is one.
    if (mayExist(join(dir, 'cas'))) return openStore(use);
    await noteMissingData();
    return undefined;
  };
  const noteMissingData = once(async () => {
    const dir = await dataDir();
    if (globals.dir !== undefined && !mayExist(dir)) say(`data directory ${quote(dir)} does not exist`);
  });
  const servers = async () => ({
    config: await config(),
    insecure: globals.insecure,
    env: io.env,
    warn,
  });
  const registry = once(async () => closed(await libraries.openRegistry({ ...(await servers()), uid: io.uid })));
  const downloads = once(async () => {
    const settings = { ...(await servers()), dataDir: await dataDir(), now: () => io.now() };
    return closed(await libraries.openDownloads(settings));
  });
  const runtime = once(async () => {
    await tellMissing();
    return libraries.openRuntime({ dataDir: await dataDir(), configDirs: globals.configDirs });
  });
  return {
    ...messages,
    io,
    globals,
    libraries,
    interrupts,
    command,
    config,
    dataDir,
    store: () => openStore('change'),
    existingStore: once(existingStore),
    noteMissingData,
    registry,
    downloads,
    runtime,
    debug: (message) => {
      if (globals.debug) say(message);
    },
    [Symbol.asyncDispose]: async () => {
      interrupts[Symbol.dispose]();
      for (const open of closing.reverse()) await open[Symbol.asyncDispose]();
    },
  };
}

/** The first call does the work, later ones get its result. */
function once<A extends readonly unknown[], T>(work: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  let result: Promise<T> | undefined;
  return (...args) => {
    result ??= work(...args);
    return result;
  };
}

/** False only for what is certainly not there: what one may not look at is for the store to complain about. */
function mayExist(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ENOENT';
  }
}

/** Symbolic links are resolved once, so that every path made from it means the same for as long as rkt runs. */
function resolveDataDir(dir: string): string {
  const path = realPath(resolve(dir));
  // Node never comes back from making directories there.
  if (KERNEL_FILES.test(path)) throw unusableDir(path, 'the kernel keeps no files there');
  return path;
}

function realPath(path: string): string {
  try {
    const real = realpathSync(path);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return path;
    throw unusableDir(path, reasonOf(error), error);
  }
  throw unusableDir(path, 'not a directory');
}

function unusableDir(path: string, reason: string, cause?: unknown): CliError {
  return new CliError('ERR_RKT_CLI_FILE', `cannot use data directory ${quote(path)}: ${reason}`, {
    cause,
    hint: 'choose another one with --dir',
  });
}
