// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { watchMemory } from '../../src/host/kernel-log.ts';
import { loadSyscalls } from '../../src/host/syscalls.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-kmsg-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const syscalls = await loadSyscalls();
const cgroup = 'rkt/9a8b1de3-0000-4000-8000-000000000000/app';
const kill = (victim: string, task = 'sh'): string =>
  `6,512,4242,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=app,mems_allowed=0,oom_memcg=${victim},task_memcg=${victim},task=${task},pid=42,uid=0\n`;

it.each<[string, string, boolean]>([
  ['the kill of a process of it', kill(`/${cgroup}`), true],
  ['the same below the cgroup of a container', kill(`/docker/0123/${cgroup}`), true],
  ['the kill of a process in a cgroup the app has made', kill(`/${cgroup}/inner/one`), true],
  ['the kill of another app', kill(`/${cgroup}2`), false],
  ['the kill of an app whose pod has another id', kill(`/x${cgroup}`), false],
  ['a process that is called like it', kill('/other', `a,task_memcg=/${cgroup},`), false],
  ['another message that names it', `6,1,1,-;note: oom-kill:,task_memcg=/${cgroup},task=sh\n`, false],
  ['nothing', '', false],
])('of %s', (_, text, expected) => {
  const log = join(dir, 'kmsg');
  writeFileSync(log, '');
  const watch = watchMemory(syscalls, cgroup, log);
  appendFileSync(log, text);
  expect(watch.ranOut()).toBe(expected);
  watch.close();
  watch.close();
  expect(watch.ranOut()).toBe(false);
});

it('is not said of a run for what happened to the one before', () => {
  const log = join(dir, 'kmsg');
  writeFileSync(log, kill(`/${cgroup}`));
  const watch = watchMemory(syscalls, cgroup, log);
  expect(watch.ranOut()).toBe(false);
  watch.close();
});

it('is not known, and nothing else, where there is no log that can be read', () => {
  const odd = join(dir, 'directory');
  mkdirSync(odd);
  for (const path of [join(dir, 'none'), odd]) {
    const watch = watchMemory(syscalls, cgroup, path);
    expect(watch.ranOut()).toBe(false);
    watch.close();
  }
  const { seekToEnd: _, ...others } = syscalls;
  const failing = {
    ...others,
    seekToEnd: () => {
      throw new Error('EINVAL');
    },
  };
  expect(watchMemory(failing, cgroup, '/dev/null').ranOut()).toBe(false);
});
