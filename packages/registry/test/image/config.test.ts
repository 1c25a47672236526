// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { parseImageConfig } from '../../src/index.ts';
import { registryError } from '../registry-error.ts';

const diffId = `sha256:${'cd'.repeat(32)}`;
const platform = { os: 'linux', architecture: 'amd64' };
const encode = (document: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(document));
const parse = (document: unknown, layerCount = 1) =>
  parseImageConfig(encode(document), { reference: 'r', layerCount, platform });
const minimal = { architecture: 'arm64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } };

describe('parseImageConfig', () => {
  it('reads everything that is run', () => {
    const config = parse({
      ...minimal,
      created: '2026-01-01T00:00:00Z',
      author: 'me',
      variant: 'v8',
      history: [{ created_by: 'x' }],
      config: {
        User: '999:999',
        ExposedPorts: { '6379/tcp': {}, '80/udp': {} },
        Env: ['PATH=/bin', 'A='],
        Entrypoint: ['/entry'],
        Cmd: 'redis-server',
        Volumes: { '/data': {} },
        WorkingDir: '/data',
        Labels: { __proto__x: 'y', constructor: 'z' },
        StopSignal: 'SIGINT',
        Healthcheck: { Test: ['NONE'] },
        Shell: ['/bin/sh', '-c'],
        OnBuild: null,
        ArgsEscaped: true,
      },
    });
    expect(config).toMatchObject({
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      diffIds: [diffId],
      created: '2026-01-01T00:00:00Z',
      config: {
        user: '999:999',
        exposedPorts: ['6379/tcp', '80/udp'],
        env: ['PATH=/bin', 'A='],
        entrypoint: ['/entry'],
        cmd: ['redis-server'],
        volumes: ['/data'],
        workingDir: '/data',
        stopSignal: 'SIGINT',
        argsEscaped: true,
      },
    });
    expect(config.config).not.toHaveProperty('onBuild');
    expect({ ...config.config?.labels }).toEqual({ __proto__x: 'y', constructor: 'z' });
    expect(config.config?.labels?.['toString']).toBeUndefined();
  });

  it('takes null for absent, as Go writes it, and the wanted platform for a missing one', () => {
    const config = parse({ rootfs: { type: 'layers', diff_ids: null }, config: { Env: null, Cmd: null } }, 0);
    expect(config).toEqual({ platform, diffIds: [], config: {} });
  });

  it.each([
    ['no rootfs', { ...minimal, rootfs: undefined }],
    ['another rootfs type', { ...minimal, rootfs: { type: 'x', diff_ids: [diffId] } }],
    ['fewer diff_ids than layers', { ...minimal, rootfs: { type: 'layers', diff_ids: [] } }],
    ['more diff_ids than layers', { ...minimal, rootfs: { type: 'layers', diff_ids: [diffId, diffId] } }],
    ['a broken diff_id', { ...minimal, rootfs: { type: 'layers', diff_ids: ['sha256:x'] } }],
    ['an environment of numbers', { ...minimal, config: { Env: [1] } }],
    ['labels of another kind', { ...minimal, config: { Labels: ['a'] } }],
    ['ports of another kind', { ...minimal, config: { ExposedPorts: ['80'] } }],
    ['a user of another kind', { ...minimal, config: { User: 0 } }],
    ['text', 'x'],
  ])('refuses %s', async (_name, document) => {
    expect((await registryError(() => parse(document))).code).toBe('ERR_RKT_REGISTRY_CONFIG_INVALID');
  });

  it('refuses what is no UTF-8 JSON, without printing it raw', async () => {
    for (const raw of [new Uint8Array([0xff, 0xfe]), new TextEncoder().encode('{"a":\u001b'), new Uint8Array()]) {
      const error = await registryError(() => parseImageConfig(raw, { reference: 'r', layerCount: 0, platform }));
      expect(error.code).toBe('ERR_RKT_REGISTRY_CONFIG_INVALID');
      expect(error.message).not.toMatch(/[\u0000-\u001f]/);
    }
  });
});
