// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The addresses that host-local has given on the built-in networks: a file per address, whose first line is the id of who
 * has it. The plugin takes them back itself; here is for what it was never asked to.
 */
export interface Reservations {
  readonly owners: () => Promise<ReadonlySet<string>>;
  release(podId: string): Promise<void>;
}

export function openReservations(dir: string): Reservations {
  const reserved = async (): Promise<readonly Reservation[]> => {
    const networks = await namesIn(dir);
    const found = await Promise.all(networks.map((network) => addressesIn(join(dir, network))));
    return found.flat();
  };
  return {
    owners: async () => new Set((await reserved()).map(({ owner }) => owner)),
    async release(podId) {
      const own = (await reserved()).filter(({ owner }) => owner === podId);
      await Promise.all(own.map(({ path }) => rm(path, { force: true })));
    },
  };
}

interface Reservation {
  readonly path: string;
  readonly owner: string;
}

/** Beside the addresses there are the plugin's lock and its note of the last address it gave. */
async function addressesIn(dir: string): Promise<readonly Reservation[]> {
  const names = (await namesIn(dir)).filter((name) => /^[\da-f.:]+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(dir, name);
      const text = await orUndefined(readFile(path, 'utf8'), 'ENOENT', 'EISDIR');
      return text === undefined ? [] : [{ path, owner: text.split(/\r?\n/)[0]?.trim() ?? '' }];
    }),
  );
  return found.flat();
}

async function namesIn(dir: string): Promise<readonly string[]> {
  return (await orUndefined(readdir(dir), 'ENOENT', 'ENOTDIR')) ?? [];
}

/** What has just been released, or is none, is none. */
async function orUndefined<T>(work: Promise<T>, ...codes: readonly string[]): Promise<T | undefined> {
  return work.catch((error: NodeJS.ErrnoException) => {
    if (codes.includes(error.code ?? '')) return undefined;
    throw error;
  });
}
