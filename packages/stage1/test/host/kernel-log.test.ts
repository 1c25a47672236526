// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { wasOutOfMemory } from '../../src/host/kernel-log.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-kmsg-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const cgroup = 'rkt/9a8b1de3-0000-4000-8000-000000000000/app';
const kill = (victim: string, task = 'sh'): string =>
  `6,512,4242,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=app,mems_allowed=0,oom_memcg=${victim},task_memcg=${victim},task=${task},pid=42,uid=0\n`;

it.each<[string, string, boolean]>([
  ['the kill of a process of it', kill(`/${cgroup}`), true],
  ['the same below the cgroup of a container', kill(`/docker/0123/${cgroup}`), true],
  ['the kill of another app', kill(`/${cgroup}2`), false],
  ['the kill of an app whose pod has another id', kill(`/x${cgroup}`), false],
  ['a process that is called like it', kill('/other', `a,task_memcg=/${cgroup},`), false],
  ['another message that names it', `6,1,1,-;note: oom-kill:,task_memcg=/${cgroup},task=sh\n`, false],
  ['nothing', '', false],
])('of %s', (_, text, expected) => {
  const log = join(dir, 'kmsg');
  writeFileSync(log, text);
  expect(wasOutOfMemory(cgroup, log)).toBe(expected);
});

it('is not known where there is no log', () => {
  expect(wasOutOfMemory(cgroup, join(dir, 'none'))).toBe(false);
});
