// SPDX-License-Identifier: Apache-2.0
//
// The main job, shown: two real images in a registry of our own on loopback, which stands in for Docker Hub and quay.io
// by a mirror configuration, and the commands a user would type.

import { join } from 'node:path';
import { composeImage } from '@rkt/tooling-images';
import { buildAll } from './src/build-all.ts';
import { run } from './src/command.ts';
import { type DemoHost, withDemoHost } from './src/demo/host.ts';
import { pingRedis, readPage } from './src/demo/probes.ts';
import { fetchImage, runInForeground, runPod } from './src/demo/session.ts';
import { cacheDir } from './src/repository.ts';
import { passOnSignals } from './src/signals.ts';

// Ctrl-C is for redis, and a terminal that goes away must not keep the demo from cleaning up.
passOnSignals();
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

if (process.argv.includes('--inside')) {
  await demo();
} else {
  await buildAll();
  const node = [process.execPath, ...process.execArgv, import.meta.filename, '--inside'];
  await run(['unshare', '--mount', '--propagation', 'private', ...node]);
}

async function demo(): Promise<void> {
  const images = join(cacheDir, 'images');
  say('redis and zanui/nginx are composed from Debian packages, unless .cache/images holds them');
  const layouts = [
    { layout: await composeImage('redis', images), repository: 'library/redis' },
    { layout: await composeImage('nginx', images), repository: 'zanui/nginx' },
  ];
  await withDemoHost(layouts, async (host) => {
    say(`docker.io and quay.io are mirrored by the embedded registry at ${host.registryOrigin}`);
    say('/etc/rkt and /var/lib/rkt are empty ones of the demo: yours are not touched');
    const nginx = await fetchImage('docker://quay.io/zanui/nginx');
    await runPod(nginx, 'nginx answers', async (pod) => {
      await readPage(pod.ip);
    });
    await runRedis(host);
  });
  say('done: pods, images and configuration of the demo are gone');
}

async function runRedis(host: DemoHost): Promise<void> {
  if (host.interactive) {
    say('redis stays in the foreground until Ctrl-C');
    await runInForeground('docker://redis');
    return;
  }
  await runPod('docker://redis', 'redis answers', async (pod) => {
    await pingRedis(pod);
  });
}

function say(text: string): void {
  process.stderr.write(`demo: ${text}\n`);
}
