// SPDX-License-Identifier: Apache-2.0
import type { Session } from '../wiring/session.ts';
import type { Known } from './candidate.ts';

const DOCKER = 'docker://';

/** The images and pods of a data directory, for completion. */
export function knownTo(session: Session): Known {
  return {
    images: async (typed) => {
      const images = (await (await session.existingStore('read'))?.listImages()) ?? [];
      // IDs are offered to those who begin to type one.
      if (typed.startsWith('sha')) return images.map(({ id, name }) => ({ word: id, about: name }));
      const scheme = typed.startsWith(DOCKER) ? DOCKER : '';
      return images.flatMap(({ id, names }) =>
        names.map((name) => ({ word: scheme + name, about: id.slice(0, 'sha512-'.length + 12) })),
      );
    },
    pods: async () => {
      const pods = await (await session.runtime()).list();
      return pods.map(({ id, state, apps }) => ({
        word: id,
        about: [state, ...apps.map(({ name }) => name)].join(' '),
      }));
    },
  };
}
