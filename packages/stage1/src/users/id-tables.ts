// SPDX-License-Identifier: Apache-2.0
import type { IdRange } from '../oci-spec/index.ts';

/** Contents of the host's files; undefined where it has none. */
export interface IdFiles {
  readonly subuid: string | undefined;
  readonly subgid: string | undefined;
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

/** Who has which ids of a host. */
export interface IdTables {
  /** Ours to give to pods. */
  readonly delegated: readonly IdRange[];
  /** Somebody else's. */
  readonly foreign: readonly IdRange[];
}

/** Whom subuid(5) and subgid(5) name when ids are meant for pods. */
const owner = 'rkt';

/** What subuid(5), subgid(5), passwd(5) and group(5) say. A range is delegated when users and groups of it both are. Pure. */
export function readIdTables({ subuid, subgid, passwd, group }: IdFiles): IdTables {
  const users = subordinates(subuid);
  const groups = subordinates(subgid);
  const own = (entries: readonly Subordinate[]): readonly IdRange[] =>
    entries.filter(({ name }) => name === owner).map(({ range }) => range);
  const others = [...users, ...groups].filter(({ name }) => name !== owner).map(({ range }) => range);
  return { delegated: shared(own(users), own(groups)), foreign: [...others, ...singles(passwd), ...singles(group)] };
}

interface Subordinate {
  readonly name: string;
  readonly range: IdRange;
}

/** `name:first:count`. Lines that are none give nothing to anybody. */
function subordinates(text: string | undefined): readonly Subordinate[] {
  return [...(text ?? '').matchAll(/^([^:\n]+):(\d{1,10}):(\d{1,10})[ \t]*$/gm)].map(([, name = '', first, count]) => ({
    name,
    range: { first: Number(first), count: Number(count) },
  }));
}

/** The third field of both files. */
function singles(text: string | undefined): readonly IdRange[] {
  return [...(text ?? '').matchAll(/^[^:\n]*:[^:\n]*:(\d{1,10})(?::|$)/gm)].map(([, id]) => ({
    first: Number(id),
    count: 1,
  }));
}

function shared(users: readonly IdRange[], groups: readonly IdRange[]): readonly IdRange[] {
  return users.flatMap((a) =>
    groups.flatMap((b) => {
      const first = Math.max(a.first, b.first);
      const count = Math.min(a.first + a.count, b.first + b.count) - first;
      return count > 0 ? [{ first, count }] : [];
    }),
  );
}
