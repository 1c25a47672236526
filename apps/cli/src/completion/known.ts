// SPDX-License-Identifier: Apache-2.0
import type { Pod } from '@rkt/stage1';
import { familiarName } from '../images/image-names.ts';
import type { Session } from '../wiring/session.ts';
import type { Candidate, Known } from './candidate.ts';

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
        names
          .flatMap((name) => spellings(name, typed))
          .map((name) => ({ word: scheme + name, about: id.slice(0, 'sha512-'.length + 12) })),
      );
    },
    pods: async () => {
      const pods = await (await session.runtime()).list();
      const ids = pods.map(({ id, state, apps }) => ({
        word: id,
        about: [state, ...apps.map(({ name }) => name)].join(' '),
      }));
      return [...names(pods), ...ids];
    },
  };
}

/** As `image list` has a name, and in full to those who begin to type it so. */
function spellings(name: string, typed: string): readonly string[] {
  const familiar = familiarName(name);
  return familiar === name || typed === '' ? [familiar] : [familiar, name];
}

/** Names of apps, each once, with the pod that is meant, or how many have one. */
function names(pods: readonly Pod[]): readonly Candidate[] {
  const byName = new Map<string, Pod[]>();
  for (const pod of pods) {
    for (const { name } of pod.apps) byName.set(name, [...(byName.get(name) ?? []), pod]);
  }
  return [...byName].map(([word, [pod, ...others]]) => ({
    word,
    about: others.length > 0 || pod === undefined ? `app of ${others.length + 1} pods` : `${pod.state} ${pod.id}`,
  }));
}
