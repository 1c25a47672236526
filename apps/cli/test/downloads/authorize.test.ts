// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { authorizationOf } from '../../src/downloads/authorize.ts';

const now = new Date('2013-05-24T00:00:00Z');

/** AWS Signature Version 4, as its documentation has it step by step, of a GET without a body. */
function signedByHand(host: string, path: string, region: string): string {
  const scope = `20130524/${region}/s3/aws4_request`;
  const fields = [`host:${host}`, 'x-amz-content-sha256:UNSIGNED-PAYLOAD', 'x-amz-date:20130524T000000Z'];
  const names = 'host;x-amz-content-sha256;x-amz-date';
  const request = ['GET', path, '', ...fields, '', names, 'UNSIGNED-PAYLOAD'].join('\n');
  const text = ['AWS4-HMAC-SHA256', '20130524T000000Z', scope, createHash('sha256').update(request).digest('hex')].join(
    '\n',
  );
  const hmac = (key: Buffer | string, data: string): Buffer => createHmac('sha256', key).update(data).digest();
  const key = ['20130524', region, 's3', 'aws4_request'].reduce<Buffer | string>(hmac, 'AWS4secret');
  return `AWS4-HMAC-SHA256 Credential=ID/${scope}, SignedHeaders=${names}, Signature=${hmac(key, text).toString('hex')}`;
}

describe('the credential of a server of ACIs', () => {
  it('is a user and password, or a token', async () => {
    const url = new URL('https://example.com/');
    expect(await authorizationOf({ type: 'basic', user: 'me', password: 'ü' }, url, now)).toEqual({
      authorization: `Basic ${Buffer.from('me:ü').toString('base64')}`,
    });
    expect(await authorizationOf({ type: 'oauth', token: 't' }, url, now)).toEqual({ authorization: 'Bearer t' });
  });

  it.each([
    ['bucket.s3.amazonaws.com', undefined, 'us-east-1'],
    ['s3-eu-west-1.amazonaws.com', undefined, 'eu-west-1'],
    ['bucket.s3.eu-central-1.amazonaws.com', undefined, 'eu-central-1'],
    ['bucket.s3.dualstack.ap-southeast-2.amazonaws.com', undefined, 'ap-southeast-2'],
    ['s3.us-gov-west-1.amazonaws.com', undefined, 'us-gov-west-1'],
    ['minio.example.com:9000', 'here-1', 'here-1'],
    ['minio.example.com:9000', undefined, 'us-east-1'],
  ])('signs requests to %s in the region %s', async (host, awsRegion, region) => {
    const credential = { type: 'aws', accessKeyID: 'ID', secretAccessKey: 'secret', awsRegion } as const;
    const headers = await authorizationOf(credential, new URL(`https://${host}/a/app.aci`), now);
    expect(headers).toEqual({
      authorization: signedByHand(host, '/a/app.aci', region),
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-date': '20130524T000000Z',
    });
  });
});
