// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { ClosableTransport } from '@rkt/registry';
import { createDownloads } from '../downloads/create-downloads.ts';
import type { Downloads } from '../downloads/downloads.ts';
import { exposedFiles, exposureOf } from './config/exposed-files.ts';
import type { DownloadsSettings } from './libraries.ts';
import { openTransport } from './open-transport.ts';
import { programVersion } from './program-version.ts';

/** Web servers with everything that is configured about them. */
export async function openDownloads(
  { config, insecure, env, dataDir, warn, now }: DownloadsSettings,
  transport: ClosableTransport = openTransport(env).transport,
): Promise<Downloads> {
  for (const file of await exposedFiles(config)) warn(exposureOf(file));
  return createDownloads({
    transport: transport.send,
    credentials: new Map(Array.from(config.auth, ([domain, { credential }]) => [domain.toLowerCase(), credential])),
    verifyTls: !insecure.has('tls'),
    userAgent: `rkt/${programVersion()}`,
    now,
    directory: join(dataDir, 'downloads'),
    close: () => transport.close(),
  });
}
