// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { executable } from '../src/rkt.ts';

it('takes no code and no options from the environment of whoever calls it', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-environment-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const preload = join(dir, 'preload.cjs');
  const openssl = join(dir, 'openssl.cnf');
  writeFileSync(preload, `require('fs').writeFileSync(${JSON.stringify(join(dir, 'loaded'))}, '')`);
  const provider = '[n]\nproviders = p\n[p]\nevil = e\n[e]\nmodule = /nonexistent/evil.so\nactivate = 1\n';
  writeFileSync(openssl, `nodejs_conf = n\nopenssl_conf = n\n${provider}`);
  const before = readdirSync(dir);
  const env = { ...process.env, NODE_OPTIONS: `--require=${preload} --max-http-header-size=1`, OPENSSL_CONF: openssl };
  expect(execFileSync(executable, ['version'], { env, encoding: 'utf8' })).toContain('rkt Version');
  expect(readdirSync(dir)).toEqual(before);
});
