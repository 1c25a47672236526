// SPDX-License-Identifier: Apache-2.0

import { isIP } from 'node:net';
import type { PodManifest, Volume } from '@rkt/appc';
import { Stage1Error } from '../error.ts';
import { checkPorts } from '../networking/index.ts';
import { quote } from '../quote.ts';
import type { DnsOptions, PrepareOptions, SandboxSpec } from '../runtime.ts';
import { forwardedPorts } from '../sandbox/forwarded-ports.ts';
import { rangeSize } from '../users/choose-range.ts';

const maxApps = 256;
const maxName = 128;

/**
 * Refuses what would become a path, a line of a file or an option of a mount without being fit for it. Names of apps and
 * volumes become file names.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MANIFEST_INVALID, ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID for ports
 */
export function checkPod({ manifest, rootfs, sandbox, mutable = false }: PrepareOptions): void {
  checkManifest(manifest, rootfs, { fewestApps: mutable ? 0 : 1, privateUsers: sandbox.privateUsers === true });
  checkSandbox(sandbox);
}

export interface ManifestLimits {
  readonly fewestApps: number;
  readonly privateUsers: boolean;
}

/** The part of {@link checkPod} that a mutable pod goes through again with every app. */
export function checkManifest(
  manifest: PodManifest,
  rootfs: PrepareOptions['rootfs'],
  { fewestApps, privateUsers }: ManifestLimits,
): void {
  checkApps(manifest, fewestApps);
  for (const { name } of manifest.apps) {
    if (!Object.hasOwn(rootfs, name)) throw invalid(`app ${quote(name)} has no root filesystem`);
  }
  // With users of its own, the next id is another pod's.
  const ids = privateUsers ? rangeSize : 2 ** 31;
  for (const volume of manifest.volumes ?? []) checkVolume(volume, ids);
  checkPorts(forwardedPorts(manifest));
}

function checkApps({ apps }: PodManifest, fewest: number): void {
  if (apps.length < fewest || apps.length > maxApps) {
    throw invalid(`expected ${fewest} to ${maxApps} apps, got ${apps.length}`);
  }
  const names = new Set<string>();
  for (const { name, app } of apps) {
    checkName('app', name);
    if (names.has(name)) throw invalid(`multiple apps with name ${quote(name)}`);
    names.add(name);
    for (const point of app.mountPoints ?? []) checkName('mount point', point.name);
  }
}

function checkVolume(volume: Volume, ids: number): void {
  const { name, kind, source, mode, uid, gid } = volume;
  checkName('volume', name);
  if (kind === 'host' && (source === undefined || !source.startsWith('/') || source.includes('\0'))) {
    throw invalid(`source ${quote(source ?? '', 400)} of volume ${quote(name)} is not an absolute path`);
  }
  if (mode !== undefined && !/^[0-7]{1,4}$/.test(mode)) {
    throw invalid(`mode ${quote(mode)} of volume ${quote(name)} is not octal`);
  }
  for (const id of [uid, gid]) {
    if (id !== undefined && !(Number.isInteger(id) && id >= 0 && id < ids)) {
      throw invalid(`owner ${id} of volume ${quote(name)} is out of range: expected 0 to ${ids - 1}`);
    }
  }
}

/** @throws Stage1Error ERR_RKT_STAGE1_MANIFEST_INVALID */
export function checkSandbox({ hostname, dns, hostsEntries }: SandboxSpec): void {
  if (hostname !== undefined && !/^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,62}[a-zA-Z0-9])?$/.test(hostname)) {
    throw invalid(`hostname ${quote(hostname)} is not a host name of at most 64 characters`);
  }
  if (dns !== undefined) checkDns(dns);
  if (hostsEntries === undefined || hostsEntries === 'host') return;
  for (const { ip, names } of hostsEntries) {
    if (isIP(ip) === 0) throw invalid(`address ${quote(ip)} of a hosts entry is not an IP address`);
    for (const name of names) checkWord('name of a hosts entry', name);
  }
}

function checkDns({ nameservers = [], search = [], options = [], domain }: DnsOptions): void {
  for (const address of nameservers) {
    if (isIP(address) === 0) throw invalid(`nameserver ${quote(address)} is not an IP address`);
  }
  for (const word of [...search, ...options, ...(domain === undefined ? [] : [domain])]) checkWord('DNS setting', word);
}

/** appc's ACName, by the looser rule its implementations apply. */
function checkName(what: string, name: string): void {
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name) && name.length <= maxName) return;
  throw invalid(`${what} name ${quote(name)} is not one: expected a-z, 0-9 and inner -, at most ${maxName} characters`);
}

function checkWord(what: string, word: string): void {
  if (/^[\x21-\x7e]{1,253}$/.test(word)) return;
  throw invalid(`${what} ${quote(word)} is not one word of printable characters`);
}

function invalid(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_MANIFEST_INVALID', `invalid pod: ${message}`);
}
