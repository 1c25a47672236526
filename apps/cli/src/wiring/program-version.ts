// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** The version of this program: put in by the build of the executable, else what the package says. */
export function programVersion(): string {
  const built = process.env['RKT_BUILD_VERSION'];
  if (built !== undefined) return built;
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  return String(version);
}
