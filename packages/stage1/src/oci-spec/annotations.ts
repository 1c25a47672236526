// SPDX-License-Identifier: Apache-2.0

/** Prefixes that crun, runc and others take orders from: hooks, handlers, unit properties. */
const runtimePrefixes: readonly string[] = [
  'run.oci.',
  'org.systemd.property.',
  'org.criu.',
  'io.katacontainers.',
  'krun.',
];

/**
 * Annotations as data. They may stem from an image, so those a runtime would act upon are left out: an image must not
 * configure the program that confines it.
 */
export function inertAnnotations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const inert = Object.entries(annotations).filter(
    ([key]) => !runtimePrefixes.some((prefix) => key.startsWith(prefix)),
  );
  return Object.fromEntries(inert);
}
