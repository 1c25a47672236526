// SPDX-License-Identifier: Apache-2.0
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FlavorCheck, refused } from './flavor-bench.ts';

const goesOn = { script: 'sleep 1000' };

/** How apps begin and end, whatever they are. */
export const lifeChecks: readonly FlavorCheck[] = [
  [
    'has a name, a version of the interface, and an answer whether it is usable',
    async ({ flavor, host }) => {
      match(flavor.name, /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
      equal(flavor.interfaceVersion, 1);
      deepEqual(await flavor.probe(host), { usable: true });
      deepEqual(await flavor.probe(host), { usable: true });
    },
  ],
  [
    'gives the status of an app that ends, which is kept',
    async ({ runtime, start }) => {
      const { id, app } = await start({ script: 'exit 7' });
      equal(await app.wait(), 7);
      await runtime.stopSandbox(id);
      const { state, apps } = await runtime.inspect(id);
      deepEqual([state, apps[0]?.state, apps[0]?.exitCode], ['exited', 'exited', 7]);
    },
  ],
  [
    'runs an app until it is stopped, and takes it that there is nothing to stop any more',
    async ({ runtime, start }) => {
      const { id, app } = await start(goesOn);
      ok(app.pid > 0);
      deepEqual((await runtime.inspect(id)).apps[0]?.state, 'running');
      await runtime.stopApp(id, 'app0', { timeoutMs: 50 });
      ok((await app.wait()) > 128);
      await runtime.stopApp(id, 'app0');
      await runtime.stopSandbox(id);
      await runtime.stopSandbox(id);
      deepEqual((await runtime.inspect(id)).state, 'exited');
    },
  ],
  [
    'gives 128 and the number of the signal that ended an app',
    async ({ runtime, start }) => {
      const { id, app } = await start(goesOn);
      app.signal('SIGKILL');
      equal(await app.wait(), 137);
      await runtime.stopSandbox(id);
    },
  ],
  [
    'starts an app again when it has ended',
    async ({ runtime, start }) => {
      const { id, app } = await start({ script: 'exit 3' });
      equal(await app.wait(), 3);
      const again = await runtime.startApp(id, 'app0', { stdio: 'inherit' });
      equal(await again.wait(), 3);
      await runtime.stopSandbox(id);
    },
  ],
  [
    'starts nothing for who has given up, and says so with the reason',
    async ({ runtime, prepare }) => {
      const id = await prepare(goesOn);
      await runtime.createSandbox(id);
      await runtime.addApp(id, 'app0');
      const reason = new Error('given up');
      const start = runtime.startApp(id, 'app0', { stdio: 'inherit', signal: AbortSignal.abort(reason) });
      await rejects(start, reason);
      equal((await runtime.inspect(id)).apps[0]?.state, 'created');
    },
  ],
  [
    'runs as many apps in a pod as it says, and refuses more before there is a pod',
    async ({ flavor, runtime, prepare }) => {
      const samples = [{ script: 'exit 1' }, { script: 'exit 2' }];
      if (flavor.traits.apps === 'one') {
        await refused('ERR_RKT_STAGE1_FLAVOR_UNABLE', prepare(...samples));
        deepEqual(await runtime.list(), []);
        return;
      }
      const id = await prepare(...samples);
      await runtime.createSandbox(id);
      const names = ['app0', 'app1'];
      for (const name of names) await runtime.addApp(id, name);
      const apps = await Promise.all(names.map((name) => runtime.startApp(id, name, { stdio: 'inherit' })));
      deepEqual(await Promise.all(apps.map((app) => app.wait())), [1, 2]);
      await runtime.stopSandbox(id);
    },
  ],
  [
    'refuses to leave an app to a monitor if it says that it cannot',
    async ({ flavor, runtime, prepare }) => {
      if (flavor.traits.detaches) return;
      const id = await prepare(goesOn);
      await runtime.createSandbox(id);
      await runtime.addApp(id, 'app0');
      const start = runtime.startApp(id, 'app0', { stdio: 'inherit', monitor: {} });
      await refused('ERR_RKT_STAGE1_FLAVOR_UNABLE', start);
    },
  ],
  [
    'removes what is left of an app, again when nothing is, and what never came to be',
    async ({ flavor, host, dataDir, runtime, start }) => {
      const { id, app } = await start({ script: 'exit 0' });
      await app.wait();
      const { dir } = await runtime.inspect(id);
      const remains = { podId: id, dir, app: 'app0', inside: undefined };
      await flavor.remove(host, remains);
      await flavor.remove(host, remains);
      const unborn = join(dataDir, 'pods/run/00000000-0000-4000-8000-000000000000');
      mkdirSync(join(unborn, 'apps/app'), { recursive: true });
      await flavor.remove(host, { ...remains, podId: '00000000-0000-4000-8000-000000000000', dir: unborn, app: 'app' });
      await flavor.sweep?.(host);
    },
  ],
  [
    'enters an app that runs with the status of the command, and none that has ended',
    async ({ runtime, start }) => {
      const { id, app } = await start(goesOn);
      equal(await runtime.enter(id, { command: ['/bin/sh', '-c', 'exit 9'], tty: false }), 9);
      app.signal('SIGKILL');
      await app.wait();
      await refused('ERR_RKT_STAGE1_APP_NOT_RUNNING', runtime.enter(id, { command: ['/bin/sh'], tty: false }));
      await runtime.stopSandbox(id);
    },
  ],
];
