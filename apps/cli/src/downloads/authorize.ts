// SPDX-License-Identifier: Apache-2.0
import type { AuthCredential } from '../wiring/config/config.ts';

const DEFAULT_REGION = 'us-east-1';

/**
 * The header fields by which a request is made in the name of somebody. They are for the host the credential belongs to, over
 * HTTPS: whoever calls has made sure of that.
 */
export async function authorizationOf(
  credential: AuthCredential,
  url: URL,
  now: Date,
): Promise<Readonly<Record<string, string>>> {
  switch (credential.type) {
    case 'basic': {
      const { user, password } = credential;
      return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
    }
    case 'oauth':
      return { authorization: `Bearer ${credential.token}` };
    case 'aws': {
      const { AwsV4Signer } = await import('aws4fetch');
      const signer = new AwsV4Signer({
        method: 'GET',
        url: url.href,
        accessKeyId: credential.accessKeyID,
        secretAccessKey: credential.secretAccessKey,
        service: 's3',
        region: credential.awsRegion ?? regionOf(url.hostname),
        datetime: now.toISOString().replace(/[-:]|\.\d{3}/g, ''),
      });
      const { headers } = await signer.sign();
      return Object.fromEntries([...headers].filter(([name]) => name !== 'host'));
    }
  }
}

/** The region that a host of S3 is in by its name, in each of the forms such names have had. */
function regionOf(hostname: string): string {
  const [, region] = /(?:^|\.)s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com$/.exec(hostname) ?? [];
  return region ?? DEFAULT_REGION;
}
