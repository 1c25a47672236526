// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseRuntime } from '../../src/flavors/oci/choose-runtime.ts';
import { removeProbes } from '../../src/flavors/oci/probe-runtime.ts';
import { createHost, type Host } from '../../src/host/index.ts';
import { createRuntime } from '../../src/index.ts';
import { createFakeHost } from '../../src/testing/index.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-choose-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Processes are real, namespaces and mounts are not. */
function hostWith(programs: Readonly<Record<string, string>>): Host {
  const paths = Object.entries(programs).map(([name, text]) => {
    const path = join(dataDir, name);
    writeFileSync(path, text, { mode: 0o755 });
    return [name, path] as const;
  });
  const found = new Map(paths);
  return { ...createFakeHost(), processes: createHost().processes, findExecutable: (name) => found.get(name) };
}

describe('a host whose runtimes do not work', () => {
  it('is told in one line what was tried, why it did not do, and what to install', async () => {
    const log = `while [ "$1" != --log ]; do shift; done; echo '{"level":"error","msg":"no cgroups"}' >"$2"`;
    const host = hostWith({
      crun: `#!/bin/sh\n${log}\necho noise >&2\nexit 1\n`,
      runc: '#!/bin/sh\necho first >&2\necho "last words" >&2\nexit 2\n',
    });
    const message = `no runtime works on this host (${dataDir}/crun: "no cgroups"; ${dataDir}/runc: "last words"): install the Debian package crun or runc`;
    await expect(chooseRuntime(host, dataDir)).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_RUNTIME_MISSING',
      message,
    });
  });

  it('is told so when they are no programs, and when they say nothing', async () => {
    const host = hostWith({ crun: '#!/no/such/interpreter\n', runc: '#!/bin/sh\nexit 3\n' });
    await expect(chooseRuntime(host, dataDir)).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_RUNTIME_MISSING',
      message: expect.stringMatching(/\/crun: "spawn .*ENOENT"; .*\/runc: "exit status 3"\)/),
    });
  });
});

describe('probes of processes that were killed', () => {
  const probes = ['runtime-probe-old', 'runtime-probe-new', 'other'];
  beforeEach(() => {
    for (const name of probes) mkdirSync(join(dataDir, name, 'rootfs'), { recursive: true });
    for (const name of ['runtime-probe-old', 'other']) utimesSync(join(dataDir, name), 0, 0);
  });
  const left = (): readonly string[] => probes.filter((name) => existsSync(join(dataDir, name)));

  it('are removed, but not those that may be going on', async () => {
    await removeProbes(createHost(), dataDir);
    expect(left()).toEqual(['runtime-probe-new', 'other']);
    await removeProbes(createHost(), join(dataDir, 'none'));
  });

  it('are removed at once, with the runtime they had started, when it is known that the prober is dead', async () => {
    const host = createHost();
    const { processes } = host;
    const runtime = processes.spawn({ file: '/bin/sleep', args: ['60'], stdio: ['ignore', 'ignore', 'ignore'] });
    const [own, started] = [process.pid, runtime.pid].map((pid) => processes.identify(pid));
    const owners = (prober: unknown): void =>
      writeFileSync(join(dataDir, 'runtime-probe-new', 'owners.json'), JSON.stringify([prober, started]));
    owners(own);
    await removeProbes(host, dataDir);
    expect(left()).toContain('runtime-probe-new');
    owners({ ...own, startTime: '1' });
    await removeProbes(host, dataDir);
    expect(left()).toEqual(['other']);
    expect(await runtime.exit).toBe(137);
  });

  it('are collected with the pods', async () => {
    const host: Host = { ...createFakeHost(), processes: createHost().processes };
    const runtime = await createRuntime({ dataDir, configDirs: [], host });
    for await (const _ of runtime.gc({ markOnly: true }));
    expect(left()).toEqual(probes);
    for await (const _ of runtime.gc());
    expect(left()).toEqual(['runtime-probe-new', 'other']);
  });
});
