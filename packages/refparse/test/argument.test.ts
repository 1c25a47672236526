// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { parseDigest, parseImageArgument, parseReference } from '../src/index.ts';

const digest = parseDigest(`sha256:${'ab'.repeat(32)}`);

describe('parseImageArgument', () => {
  it.each([
    ['docker://redis', { kind: 'docker', reference: parseReference('redis') }],
    ['docker:redis:7', { kind: 'docker', reference: parseReference('redis:7') }],
    ['docker://localhost:5000/a/b', { kind: 'docker', reference: parseReference('localhost:5000/a/b') }],
    ['sha512-ab', { kind: 'image-id', prefix: 'sha512-ab' }],
    [`sha512-${'0'.repeat(128)}`, { kind: 'image-id', prefix: `sha512-${'0'.repeat(128)}` }],
    ['/images/app.aci', { kind: 'path', path: '/images/app.aci' }],
    ['./app', { kind: 'path', path: './app' }],
    ['../app:x', { kind: 'path', path: '../app:x' }],
    ['app.aci', { kind: 'path', path: 'app.aci' }],
    ['https://example.com/app.aci', { kind: 'url', url: 'https://example.com/app.aci' }],
    ['http://example.com/app.aci?x=1', { kind: 'url', url: 'http://example.com/app.aci?x=1' }],
    ['file:///images/app.aci', { kind: 'url', url: 'file:///images/app.aci' }],
    ['oci:/images/layout', { kind: 'oci', path: '/images/layout', selector: undefined }],
    ['oci:layout:v1', { kind: 'oci', path: 'layout', selector: { kind: 'tag', tag: 'v1' } }],
    ['oci-archive:a.tar:v1', { kind: 'oci-archive', path: 'a.tar', selector: { kind: 'tag', tag: 'v1' } }],
    [
      'oci:layout:docker.io/library/alpine:3.20',
      { kind: 'oci', path: 'layout', selector: { kind: 'name', name: 'docker.io/library/alpine:3.20' } },
    ],
    [
      'oci-archive:a.oci:alpine:3.20',
      { kind: 'oci-archive', path: 'a.oci', selector: { kind: 'name', name: 'alpine:3.20' } },
    ],
    ['oci:/a:Team/App', { kind: 'oci', path: '/a', selector: { kind: 'name', name: 'Team/App' } }],
    ['rootfs:root.tar', { kind: 'rootfs', path: 'root.tar', reference: undefined }],
    ['rootfs:-:mine:1', { kind: 'rootfs', path: '-', reference: parseReference('mine:1') }],
    ['docker-archive:a.tar', { kind: 'docker-archive', path: 'a.tar', reference: undefined }],
    ['docker-archive:a.tar:app:v1', { kind: 'docker-archive', path: 'a.tar', reference: parseReference('app:v1') }],
    [`oci:layout@${digest}`, { kind: 'oci', path: 'layout', selector: { kind: 'digest', digest } }],
    [`oci:a@b@${digest}`, { kind: 'oci', path: 'a@b', selector: { kind: 'digest', digest } }],
    [`oci-archive:a.tar@${digest}`, { kind: 'oci-archive', path: 'a.tar', selector: { kind: 'digest', digest } }],
    ['oci:layout@2:v1', { kind: 'oci', path: 'layout@2', selector: { kind: 'tag', tag: 'v1' } }],
    ['oci:layout@sha256/:v1', { kind: 'oci', path: 'layout@sha256/', selector: { kind: 'tag', tag: 'v1' } }],
    ['oci:user@host/layout', { kind: 'oci', path: 'user@host/layout', selector: undefined }],
    ['coreos.com/etcd', { kind: 'appc-name', name: 'coreos.com/etcd', labels: [] }],
    [
      'coreos.com/etcd:v2.0,os=linux',
      {
        kind: 'appc-name',
        name: 'coreos.com/etcd',
        labels: [
          { name: 'version', value: 'v2.0' },
          { name: 'os', value: 'linux' },
        ],
      },
    ],
  ])('reads %s', (input, expected) => {
    expect(parseImageArgument(input)).toEqual({ ...expected, original: input });
  });

  it.each([
    ['', 0],
    ['sha512-', 7],
    ['sha512-a', 8],
    ['sha512-AB', 7],
    ['sha512-abg', 9],
    [`sha512-${'0'.repeat(129)}`, 135],
    ['https://example.com/app.tar', 27],
    ['http:/example.com/app.aci', 5],
    ['https://example.com/a b.aci', 21],
    ['ftp://example.com/app.aci', 0],
    ['cimd:docker:v=0:x', 0],
    ['oci:', 4],
    ['oci:layout:', 11],
    [`oci:@${digest}`, 4],
    ['oci:layout@sha256:ab', 20],
    [`oci:layout@md5:${'a'.repeat(32)}`, 11],
    [`oci:layout:v1@${digest}`, 13],
    [`oci:layout:@${digest}`, 11],
    ['oci:layout:@0', 11],
    ['oci:/a:b/lay out', 12],
    ['oci:/a:b/', 8],
    ['oci:/a:/b', 7],
    ['oci:layout:a b', 12],
    ['rootfs:', 7],
    ['rootfs:a.tar:B', 13],
    [`rootfs:a.tar@${digest}`, 19],
    ['docker-archive:', 15],
    ['docker-archive:a.tar:@0', 21],
    [`docker-archive:a.tar@${digest}`, 27],
    [`docker-archive:a.tar:app@${digest}`, 24],
    ['docker-archive:a.tar:App', 21],
    [digest, 0],
    ['sha256:ab', 0],
    ['dir:/images/x', 3],
    ['Redis', 0],
    ['-app', 0],
    ['a\u0000b', 1],
    ['name:', 4],
    ['name,os', 5],
    ['name,os=a,os=b', 4],
    ['name:1,version=2', 6],
    ['x'.repeat(5000), 4096],
  ])('refuses %j instead of guessing', (input, offset) => {
    expect(() => parseImageArgument(input)).toThrow(
      expect.objectContaining({ code: 'ERR_RKT_REFPARSE_ARGUMENT_INVALID', offset }),
    );
  });

  it.each([
    [
      'dcoker://nginx',
      'unknown scheme "dcoker": expected docker, oci, oci-archive, docker-archive, rootfs, http, https or file',
    ],
    [
      'localhost:5000/a',
      'unknown scheme "localhost", or no version after the colon; a docker image is written "docker://localhost:5000/a"',
    ],
    ['a.b/c@sha256:x', '"a.b/c@sha256" is neither a known form nor an appc name'],
    [
      `a.b/c@sha256:${'0'.repeat(64)}`,
      `"a.b/c@sha256" is neither a known form nor an appc name; a docker image is written "docker://a.b/c@sha256:${'0'.repeat(64)}"`,
    ],
    ['nginx:1:2', 'unknown scheme "nginx", or no version after the colon'],
  ])('says of %j what was expected, and how it is written as the one thing it could be', (input, reason) => {
    expect(() => parseImageArgument(input)).toThrow(expect.objectContaining({ reason }));
  });

  it('says how a docker URL is written and where it is wrong', () => {
    expect(() => parseImageArgument('docker://user/App: x')).toThrow(
      expect.objectContaining({
        code: 'ERR_RKT_REFPARSE_PATH_UPPERCASE',
        offset: 14,
        message:
          'invalid docker URL "docker://user/App: x"; expected syntax is "docker://[REGISTRY_HOST[:REGISTRY_PORT]/]IMAGE_NAME[:TAG]": the repository name must be lower case, "user/app"',
      }),
    );
  });
});
