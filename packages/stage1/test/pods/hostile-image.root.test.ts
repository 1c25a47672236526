// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPodBench, type PodBench } from './bench.ts';
import { footprint, none } from './footprint.ts';

let bench: PodBench;
let outside: string;
beforeEach(() => {
  bench = createPodBench();
  outside = mkdtempSync(join(tmpdir(), 'rkt-outside-'));
});
afterEach(() => {
  expect(footprint(bench.dataDir, bench.ids)).toEqual(none);
  bench.remove();
  rmSync(outside, { recursive: true });
});

const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/**
 * What the exploits of CVE-2019-5736 do, with nothing but what a shell can: takes hold of the program of whoever enters, waits for
 * its end, since what runs is never written to, and writes to it.
 */
const OVERWRITE = `
echo >/out/ready
while :; do
  for p in /proc/[0-9]*; do
    [ $p = /proc/1 ] && continue
    command exec 3<$p/exe || continue
    readlink /proc/1/fd/3 >>/out/held
    while [ -e $p ]; do :; done
    { printf x >>/proc/1/fd/3 && echo written >>/out/written; }
  done
done 2>/dev/null`;

describe.each(['/usr/sbin/runc', '/usr/bin/crun'])('%s', (path) => {
  it('is not overwritten by an app that gets hold of it while the app is entered (CVE-2019-5736)', async () => {
    const copy = join(outside, path.slice(path.lastIndexOf('/') + 1));
    copyFileSync(path, copy);
    const runtime = await bench.runtime(copy);
    writeFileSync(join(bench.image, 'bin/trap'), '#!/proc/self/exe\n', { mode: 0o755 });
    const { id } = await bench.prepare(runtime, OVERWRITE);
    await runtime.createSandbox(id);
    await runtime.addApp(id, 'app');
    await runtime.startApp(id, 'app', { stdio: 'inherit' });
    while (!existsSync(join(bench.out, 'ready'))) await delay(10);
    for (let times = 0; times < 10; times += 1) {
      expect(await runtime.enter(id, { command: ['/bin/cat', '/dev/null'], tty: false })).toBe(0);
      // Its interpreter would be the runtime itself; whether that is refused or fails is the same here.
      await runtime.enter(id, { command: ['/bin/trap'], tty: false }).catch(() => undefined);
    }
    await runtime.stopSandbox(id, { force: true });
    expect(bench.read('held'), 'the app gets hold of what enters').toContain('/bin/cat\n');
    expect(digestOf(copy)).toBe(digestOf(path));
  });
});

describe('an image whose working directory is behind a link that leads out', () => {
  it.each(['/work/made/here', '/work'])(
    'has %s made in its own root, and nothing on the host',
    async (workingDirectory) => {
      const runtime = await bench.runtime();
      mkdirSync(join(bench.image, 'data'), { recursive: true });
      symlinkSync(`../../../../../../../..${outside}`, join(bench.image, 'work'));
      writeFileSync(join(outside, 'witness'), '');
      const { status } = await bench.run(runtime, 'echo made >made; ls -d "$PWD" >/out/where', {
        app: { workingDirectory },
      });
      expect(status).toBe(0);
      expect(readdirSync(outside)).toEqual(['witness']);
    },
  );
});
