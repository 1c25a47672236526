// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRuntime, type GcEvent, type Pod, type PodGcOptions, type Runtime } from '../../src/index.ts';
import { createFakeHost, type FakeHost } from '../../src/testing/index.ts';

let dataDir: string;
let host: FakeHost;
let members: Readonly<Record<string, readonly number[]>>;
let runtime: Runtime;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-damaged-'));
  members = {};
  const membersOf = (cgroup: string): readonly number[] => members[cgroup] ?? [];
  host = createFakeHost({ statusOf: ({ file }) => (file.endsWith('cat') ? undefined : 0), membersOf });
  runtime = await createRuntime({ dataDir, configDirs: [], host, runtimePath: '/usr/bin/crun' });
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

async function prepared(): Promise<Pod> {
  const app = { exec: ['/bin/true'], user: '0', group: '0' };
  return runtime.prepare({
    manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'app', image: { id: 'sha512-0' }, app }] },
    rootfs: { app: { type: 'directory', path: '/' } },
    sandbox: { networks: [{ name: 'none' }] },
  });
}

async function exited(): Promise<Pod> {
  const { id } = await prepared();
  await runtime.createSandbox(id);
  await runtime.stopSandbox(id);
  return runtime.inspect(id);
}

function change(file: string, replacement: Readonly<Record<string, unknown>>): void {
  const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(Object.assign({}, record, replacement)));
}

async function collect(options: PodGcOptions): Promise<readonly GcEvent[]> {
  const events: GcEvent[] = [];
  for await (const event of runtime.gc(options)) events.push(event);
  return events;
}

const holder = { pid: 4_000_000, startTime: '1', bootId: 'other' };

describe('a pod with a record of another shape', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['ended', { ended: true }],
    ['ended without a manifest', { ended: { apps: {} } }],
    ['ended with apps that are none', { ended: { manifest: { apps: [null] }, apps: {} } }],
    ['ended with an app record that is none', { ended: { manifest: { apps: [] }, apps: { app: 1 } } }],
    ['networks', { networks: [null] }],
    ['networks that are no list', { networks: {} }],
    ['holder', { holder: { ...holder, pid: -1 }, ended: undefined }],
    ['startedAt', { startedAt: 'yesterday' }],
  ])('is listed beside the others and collected when its %s is damaged', async (_, replacement) => {
    const whole = await exited();
    const { id, dir } = await exited();
    change(join(dir, 'run.json'), replacement);
    const pods = await runtime.list();
    expect(pods).toHaveLength(2);
    expect(pods).toContainEqual(whole);
    expect(pods.find((pod) => pod.id === id)).toMatchObject({ state: 'exited', apps: [{ name: 'app' }], networks: [] });
    const events = await collect({ graceMs: 0 });
    expect(events).toContainEqual({ kind: 'marked', id, to: 'exited-garbage' });
    expect(events).toContainEqual({ kind: 'removed', id });
  });

  it('is shown as far as it is known', async () => {
    const { id } = await prepared();
    const { dir } = await runtime.createSandbox(id);
    change(join(dir, 'run.json'), { networks: 'none' });
    expect(await runtime.inspect(id)).toMatchObject({ state: 'running', apps: [{ name: 'app', imageId: 'sha512-0' }] });
  });

  it.each(['pod', 'sandbox.json', 'apps/app/status.json'])('is stopped although its %s is damaged', async (file) => {
    const { id } = await prepared();
    const { dir } = await runtime.createSandbox(id);
    await runtime.addApp(id, 'app');
    const run = readFileSync(join(dir, 'run.json'), 'utf8');
    writeFileSync(join(dir, file), '{');
    await runtime.stopSandbox(id);
    expect(host.operations).toContainEqual({ kind: 'signal', pid: JSON.parse(run).holder.pid, signal: 'SIGKILL' });
    expect(host.operations.at(-1)).toEqual({ kind: 'remove-cgroup', path: `rkt/${id}` });
    expect((await runtime.inspect(id)).state).toBe('exited');
  });

  it('has the app stopped whose process is not known any more', async () => {
    const { id } = await prepared();
    const { dir } = await runtime.createSandbox(id);
    await runtime.addApp(id, 'app');
    const { pid } = host.processes.spawn({ file: 'cat', args: [], stdio: [] });
    members = { [`rkt/${id}/app`]: [pid] };
    writeFileSync(join(dir, 'apps/app/status.json'), '{');
    await runtime.stopSandbox(id, { timeoutMs: 0 });
    const signals = host.operations.flatMap((each) =>
      each.kind === 'signal' && each.pid === pid ? [each.signal] : [],
    );
    expect(signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it('expires by the age of its directory when it was never run', async () => {
    const { id, dir } = await prepared();
    change(join(dir, 'sandbox.json'), { createdAt: 'yesterday' });
    expect(await collect({ graceMs: 0 })).toEqual([]);
    const events = await collect({ graceMs: 0, expirePreparedMs: 0 });
    expect(events).toContainEqual({ kind: 'marked', id, to: 'garbage' });
    expect(events).toContainEqual({ kind: 'removed', id });
  });
});

it('is moved to a directory that somebody has tidied away', async () => {
  const { id } = await exited();
  for (const stage of ['exited-garbage', 'garbage']) rmSync(join(dataDir, 'pods', stage), { recursive: true });
  expect(await collect({ markOnly: true })).toEqual([{ kind: 'marked', id, to: 'exited-garbage' }]);
});
