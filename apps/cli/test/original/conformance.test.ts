// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type NamedTest, namedTests, requireTest } from '../support/named-tests.ts';

const root = new URL('../../../../', import.meta.url);

/** The files of functional tests that rkt 1.30.0 has. */
const original = [
  ...[
    'ace_validator',
    'api_service',
    'app_isolator',
    'app_sandbox',
    'attach',
    'auth',
    'caps',
    'cat_manifest',
    'config',
  ],
  ...[
    'devices',
    'diagnostic',
    'dns',
    'env',
    'error_output',
    'etc_hosts',
    'exec',
    'exit',
    'export',
    'fetch',
    'fly',
    'gc',
  ],
  ...[
    'hostname',
    'image_cat_manifest',
    'image_dependencies',
    'image_export',
    'image_extract',
    'image_gc',
    'image_list',
  ],
  ...[
    'image_render',
    'image_rm',
    'image_verify',
    'interactive',
    'ipcns',
    'journal',
    'list',
    'metadata_service',
    'mount',
  ],
  ...['mountns', 'mtab', 'net', 'no_new_privs', 'non_root', 'oom_score_adj', 'os_arch', 'paths', 'pid_file', 'prepare'],
  ...[
    'rm',
    'root_commands',
    'run',
    'run_pod_manifest',
    'run_user_group',
    'seccomp',
    'service_file',
    'socket_activation',
  ],
  ...[
    'socket_proxyd',
    'stage1_loading',
    'status',
    'stop',
    'supplementary_gids',
    'trust',
    'userns',
    'volume',
    'volume_mount',
  ],
].map((name) => `rkt_${name}`);

interface Row {
  readonly files: readonly string[];
  readonly tests: readonly NamedTest[];
  readonly reason: string;
}

const rows = readFileSync(new URL('docs/conformance.md', root), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line): Row => {
    const [, files = '', , tests = '', reason = ''] = line.split('|').map((cell) => cell.trim());
    return {
      files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
      tests: namedTests(tests),
      reason,
    };
  });

describe('the table of what the original was tested for', () => {
  it('has every file of its tests', () => {
    expect([...new Set(rows.flatMap(({ files }) => files))].toSorted()).toEqual(original.toSorted());
  });

  it.each(rows)('names tests that are there, or says why there are none: $files', ({ tests, reason }) => {
    expect(tests.length > 0 || reason.length > 10).toBe(true);
    for (const test of tests) requireTest(test);
  });
});
