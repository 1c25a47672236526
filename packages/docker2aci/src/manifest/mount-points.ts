// SPDX-License-Identifier: Apache-2.0
import { type MountPoint, sanitizeAcName } from '@rkt/appc';
import { ConversionError, quote } from '../errors.ts';

/**
 * Mount points of an image's volumes: by path, named `volume-<path>`. Paths are cleaned as Docker cleans them. Names that
 * come out equal are told apart by `-1`, `-2` in the order of the paths, so that they never change.
 *
 * @throws ConversionError `CONFIG_INVALID` for a volume at the root
 */
export function toMountPoints(volumes: readonly string[]): readonly MountPoint[] {
  const paths = [...new Set(volumes.map(cleanPath))].sort();
  const freeName = nameGiver();
  const points = paths.map((path) => ({ name: freeName(sanitizeAcName(`volume-${path.slice(1)}`)), path }));
  return points.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Goes on where it was for the same name: thousands of volumes may want one. */
function nameGiver(): (wanted: string) => string {
  const taken = new Set<string>();
  const nextSuffix = new Map<string, number>();
  return (wanted) => {
    let name = wanted;
    let suffix = nextSuffix.get(wanted) ?? 1;
    for (; taken.has(name); suffix += 1) name = `${wanted}-${suffix}`;
    nextSuffix.set(wanted, suffix);
    taken.add(name);
    return name;
  };
}

function cleanPath(path: string): string {
  const components: string[] = [];
  for (const component of path.split('/')) {
    if (component === '..') components.pop();
    else if (component !== '' && component !== '.') components.push(component);
  }
  if (components.length === 0 || path.includes('\0')) {
    const text = `volume ${quote(path)} of the image: expected a directory below the root`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_CONFIG_INVALID', text, { actual: path.slice(0, 200) });
  }
  return `/${components.join('/')}`;
}
