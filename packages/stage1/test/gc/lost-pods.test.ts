// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRuntime, type GcEvent } from '../../src/index.ts';
import { createFakeFlavor, createFakeHost, type FakeHost } from '../../src/testing/index.ts';

const id = '11111111-2222-4333-8444-555555555555';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-lost-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

interface Bench {
  readonly host: FakeHost;
  /** Of what a process of the pod's cgroup, and one elsewhere, have open. */
  readonly files: { app: string; elsewhere: string };
  readonly members: Map<string, readonly number[]>;
  readonly app: number;
  readonly elsewhere: number;
  readonly collect: () => Promise<readonly GcEvent[]>;
}

/** Networks hold something for a pod that has no directory here, of which a process runs. */
async function lostPod(): Promise<Bench> {
  const members = new Map<string, readonly number[]>();
  const files = { app: '', elsewhere: '' };
  const host = createFakeHost({
    membersOf: (cgroup) => members.get(cgroup) ?? [],
    filesOf: (pid) => [pid === app ? files.app : files.elsewhere],
  });
  const app = host.processes.spawn({ file: '/bin/app', args: [], stdio: [] }).pid;
  const elsewhere = host.processes.spawn({ file: '/bin/rkt', args: [], stdio: [] }).pid;
  mkdirSync(join(dataDir, 'networks', 'pods'), { recursive: true });
  writeFileSync(join(dataDir, 'networks', 'pods', `${id}.json`), '[]');
  const runtime = await createRuntime({ dataDir, configDirs: [], host, flavors: [createFakeFlavor()] });
  const collect = async (): Promise<readonly GcEvent[]> => {
    const events: GcEvent[] = [];
    for await (const event of runtime.gc()) events.push(event);
    return events;
  };
  return { host, files, members, app, elsewhere, collect };
}

const kept = [{ kind: 'kept', id, reason: 'running' }];

describe('of a pod without a directory', () => {
  it('what runs is left alone, and keeps its network, when nobody has its lock', async () => {
    const { host, members, app, collect } = await lostPod();
    mkdirSync(join(dataDir, 'pods', 'run'), { recursive: true });
    members.set(`rkt/${id}`, [app]);
    expect(await collect()).toEqual(kept);
    expect(host.operations.filter(({ kind }) => kind === 'signal' || kind === 'remove-cgroup')).toEqual([]);
  });

  it.each([
    ['is somebody’s foreground', () => join(dataDir, 'pods'), ' (deleted)', false],
    ['is of the data directory of which this is a copy', () => '/var/lib/original/pods', '', true],
    ['was of that one', () => '/var/lib/original/pods', ' (deleted)', true],
  ])('nothing is ended or given back when it %s', async (_, root, end, isMonitor) => {
    const { host, files, members, elsewhere, collect } = await lostPod();
    mkdirSync(join(dataDir, 'pods', 'run'), { recursive: true });
    files.elsewhere = `${join(root(), 'run', id, 'lock')}${end}`;
    if (isMonitor) members.set('rkt/monitors', [elsewhere]);
    expect(await collect()).toEqual(kept);
    expect(host.operations.filter(({ kind }) => kind === 'signal' || kind === 'remove-cgroup')).toEqual([]);
  });

  it('nothing is looked for where pods have no directory at all', async () => {
    const { host, files, members, app, elsewhere, collect } = await lostPod();
    members.set(`rkt/${id}`, [app]);
    members.set('rkt/monitors', [elsewhere]);
    files.elsewhere = `${join(dataDir, 'pods', 'run', id, 'lock')} (deleted)`;
    expect(await collect()).toEqual([]);
    expect(host.operations.filter(({ kind }) => kind === 'signal')).toEqual([]);
  });
});
