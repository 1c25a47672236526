// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRuntime, type Host, type PodState } from '../../src/index.ts';
import { createFakeHost } from '../../src/testing/index.ts';

const id = '11111111-2222-4333-8444-555555555555';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-app-processes-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Of a pod that nobody watches, whose app has no process on record. */
async function stateOf(flavor: string, host: Host): Promise<PodState> {
  const dir = join(dataDir, 'pods', 'run', id);
  mkdirSync(dir, { recursive: true });
  const app = { exec: ['/bin/app'], user: '0', group: '0' };
  const manifest = {
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    apps: [{ name: 'app', image: { id: 'sha512-0' }, app }],
  };
  const holder = { pid: 1, startTime: '0', bootId: 'another' };
  const run = { createdAt: 1, startedAt: 1, flavor, hostname: 'pod', hostNetwork: true, holder, networks: [] };
  writeFileSync(join(dir, 'lock'), '');
  writeFileSync(join(dir, 'pod'), JSON.stringify(manifest));
  writeFileSync(join(dir, 'run.json'), JSON.stringify(run));
  return (await (await createRuntime({ dataDir, configDirs: [], host })).inspect(id)).state;
}

it.each([
  ['oci', 'cgroup'],
  ['fly', 'root'],
])('an app of flavor %s is looked for by its %s alone', async (flavor, way) => {
  const asked: string[] = [];
  const pid = process.pid;
  const base = createFakeHost();
  const look = (name: string, place: string): readonly number[] => {
    asked.push(`${name} ${place}`);
    return [pid];
  };
  const host: Host = {
    ...base,
    cgroups: { ...base.cgroups, processes: (path) => look('cgroup', path) },
    processes: {
      ...base.processes,
      identify: () => ({ pid, startTime: '1', bootId: 'fake' }),
      rootedBelow: (path) => look('root', path),
    },
  };
  expect(await stateOf(flavor, host)).toBe('orphaned');
  const places = { cgroup: `rkt/${id}/app`, root: join(dataDir, 'pods/run', id, 'apps/app/bundle/rootfs') };
  expect(asked).toEqual([way === 'cgroup' ? `cgroup ${places.cgroup}` : `root ${places.root}`]);
});
