// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import type { Descriptor, Platform } from './image.ts';

const NODE_ARCHITECTURES: ReadonlyMap<string, Platform> = new Map([
  ['x64', { os: 'linux', architecture: 'amd64' }],
  ['ia32', { os: 'linux', architecture: '386' }],
  ['arm64', { os: 'linux', architecture: 'arm64' }],
  ['arm', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['ppc64', { os: 'linux', architecture: 'ppc64le' }],
  ['loong64', { os: 'linux', architecture: 'loong64' }],
  ['riscv64', { os: 'linux', architecture: 'riscv64' }],
  ['s390x', { os: 'linux', architecture: 's390x' }],
]);

/** `uname -m` to the names images use. */
const MACHINES: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['aarch64', 'arm64'],
  ['i386', '386'],
  ['armhf', 'arm'],
]);

/** What a variant can run, best first. An image without a variant runs everywhere its architecture does. */
const ARM = ['v8', 'v7', 'v6', 'v5'];
const AMD64 = ['v4', 'v3', 'v2', 'v1'];

/** The platform of images for this process: `linux` and the architecture of Node. */
export function hostPlatform(architecture: string = process.arch): Platform {
  return NODE_ARCHITECTURES.get(architecture) ?? { os: 'linux', architecture };
}

/** `linux/arm64/v8`, with the OS version in brackets where there is one. */
export function formatPlatform(platform: Platform): string {
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`;
  const version = platform.osVersion === undefined ? '' : ` (${platform.osVersion})`;
  return `${platform.os}/${platform.architecture}${variant}${version}`;
}

/**
 * Reads `os/architecture[/variant]`, also with the names `uname -m` uses.
 * @throws {TypeError} for anything else
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const [os, machine, variant] = parts;
  const wellFormed = parts.length <= 3 && parts.every((part) => /^[A-Za-z0-9_.-]{1,64}$/.test(part));
  if (!wellFormed || os === undefined || machine === undefined) {
    throw new TypeError('a platform is os/architecture[/variant]');
  }
  return { os, architecture: canonicalArchitecture(machine), ...(variant === undefined ? {} : { variant }) };
}

/** The name images use for what `uname -m` calls `machine`; any other name stays as it is. */
export function canonicalArchitecture(machine: string): string {
  return MACHINES.get(machine) ?? machine;
}

/** How well `have` serves `want`: 0 is exact, more is worse, undefined is not at all. */
export function matchPlatform(have: Platform, want: Platform): number | undefined {
  if (have.os !== want.os || have.architecture !== want.architecture) return undefined;
  if (want.osVersion !== undefined && have.osVersion !== want.osVersion) return undefined;
  const order = acceptedVariants(want);
  const rank = order.indexOf(canonicalVariant(have));
  return rank < 0 ? undefined : rank;
}

/**
 * The entry of an index for a platform: the best variant the platform runs, the first of equals. Attestations and
 * entries without a platform or of unknown kinds are never chosen.
 *
 * @throws {RegistryError} ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM, whose `platforms` says what there is
 */
export function selectManifest(manifests: readonly Descriptor[], want: Platform, reference: string): Descriptor {
  const candidates = manifests.filter((entry) => !isAttestation(entry));
  let best: { readonly entry: Descriptor; readonly rank: number } | undefined;
  for (const entry of candidates) {
    const rank = entry.platform === undefined ? undefined : matchPlatform(entry.platform, want);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { entry, rank };
  }
  if (best !== undefined) return best.entry;
  const [only] = candidates;
  // An index of one entry that does not say what it is for: its configuration will.
  if (candidates.length === 1 && only !== undefined && only.platform === undefined) return only;
  throw noMatchingPlatform(
    want,
    candidates.map((entry) => entry.platform),
    reference,
  );
}

/** The error for a platform that is not to be had; says which ones are. */
export function noMatchingPlatform(
  want: Platform,
  have: readonly (Platform | undefined)[],
  reference: string,
): RegistryError {
  const platforms = [...new Set(have.filter((entry) => entry !== undefined).map(formatPlatform))];
  const listed = platforms.length === 0 ? 'no image for a known platform' : platforms.join(', ');
  const text = `${reference} has no image for ${formatPlatform(want)}; it has ${listed}`;
  return new RegistryError('ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM', text, { reference, platforms });
}

function isAttestation(entry: Descriptor): boolean {
  const { platform, annotations } = entry;
  if (platform?.os === 'unknown' || platform?.architecture === 'unknown') return true;
  return annotations !== undefined && 'vnd.docker.reference.type' in annotations;
}

function acceptedVariants(want: Platform): readonly string[] {
  const own = canonicalVariant(want);
  const order = want.architecture === 'arm' ? ARM : want.architecture === 'amd64' ? AMD64 : undefined;
  if (order === undefined || !order.includes(own)) return own === '' ? [''] : [own, ''];
  return [...order.slice(order.indexOf(own)), ''];
}

/** Names that mean the same: arm64 is arm64/v8, amd64 is amd64/v1, arm is arm/v7. */
function canonicalVariant(platform: Platform): string {
  const variant = platform.variant ?? '';
  if (platform.architecture === 'arm64') return variant === 'v8' || variant === '8' ? '' : variant;
  if (platform.architecture === 'arm') return variant === '' ? 'v7' : variant.replace(/^(?=[5-8]$)/, 'v');
  if (platform.architecture === 'amd64' && variant === '') return 'v1';
  return variant;
}
