// SPDX-License-Identifier: Apache-2.0
import type { PodManifest, RuntimeApp } from '@rkt/appc';
import { Stage1Error } from './error.ts';
import type { Flavor } from './flavors/flavor.ts';
import type { Host, HostProcess } from './host/index.ts';
import type { Networking } from './networking/index.ts';
import { chooseApp } from './pod/choose-app.ts';
import { type OwnedPod, type PodDirectory, type PodLocation, type RunRecord, records } from './pod/index.ts';
import { quote } from './quote.ts';
import type { PodId } from './runtime.ts';
import type { RangeReservations } from './users/index.ts';

/** A sandbox this very process made and holds. */
export interface OwnedSandbox {
  readonly pod: OwnedPod;
  readonly holder: HostProcess;
}

/** What the operations of one runtime work with. */
export interface RuntimeContext {
  readonly host: Host;
  readonly pods: PodDirectory;
  readonly networking: Networking;
  readonly users: RangeReservations;
  readonly flavors: readonly Flavor[];
  readonly owned: Map<PodId, OwnedSandbox>;
  readonly now: () => number;
}

/** @throws Stage1Error ERR_RKT_STAGE1_NOT_ROOT */
export function requireRoot({ host }: RuntimeContext): void {
  if (host.isRoot()) return;
  throw new Stage1Error('ERR_RKT_STAGE1_NOT_ROOT', 'pods can only be changed by root');
}

/** @throws Stage1Error ERR_RKT_STAGE1_POD_NOT_FOUND */
export function requirePod({ pods }: RuntimeContext, id: PodId): PodLocation {
  const location = pods.locate(id);
  if (location !== undefined) return location;
  throw new Stage1Error('ERR_RKT_STAGE1_POD_NOT_FOUND', `pod ${quote(id, 40)} does not exist`);
}

/** @throws Stage1Error ERR_RKT_STAGE1_FLAVOR_NOT_FOUND */
export function requireFlavor({ flavors }: RuntimeContext, name: string): Flavor {
  const flavor = flavors.find((candidate) => candidate.name === name);
  if (flavor !== undefined) return flavor;
  const known = flavors.map((candidate) => candidate.name).join(', ');
  throw new Stage1Error(
    'ERR_RKT_STAGE1_FLAVOR_NOT_FOUND',
    `flavor ${quote(name)} is not known, expected one of ${known}`,
  );
}

/** Of these the first that is usable runs a pod for which no flavor is named. */
export function defaultFlavors({ flavors }: RuntimeContext): readonly Flavor[] {
  return flavors.filter(({ traits }) => !traits.onlyByName);
}

/** @throws Stage1Error ERR_RKT_STAGE1_POD_CORRUPT */
export function requireManifest({ id, dir }: PodLocation): PodManifest {
  const manifest = records.readManifest(dir);
  if (manifest !== undefined) return manifest;
  throw new Stage1Error('ERR_RKT_STAGE1_POD_CORRUPT', `pod ${id} has no manifest`);
}

/** @throws Stage1Error ERR_RKT_STAGE1_APP_NOT_FOUND, ERR_RKT_STAGE1_POD_CORRUPT */
export function requireApp(location: PodLocation, name: string): RuntimeApp {
  return chooseApp({ id: location.id, apps: requireManifest(location).apps }, name);
}

/**
 * The name of the app that is meant, which need not be said when there is one alone.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_APP_UNSPECIFIED, ERR_RKT_STAGE1_APP_NOT_FOUND, ERR_RKT_STAGE1_POD_CORRUPT
 */
export function chosenApp(location: PodLocation, name: string | undefined): string {
  return chooseApp({ id: location.id, apps: requireManifest(location).apps }, name).name;
}

/** @throws Stage1Error ERR_RKT_STAGE1_POD_NOT_RUNNING when there is no sandbox, or it has ended */
export function requireSandbox({ host }: RuntimeContext, location: PodLocation): RunRecord {
  const run = location.stage === 'run' ? records.readRun(location.dir) : undefined;
  if (run !== undefined && host.processes.isAlive(run.holder)) return run;
  throw new Stage1Error('ERR_RKT_STAGE1_POD_NOT_RUNNING', `pod ${location.id} has no sandbox`);
}
