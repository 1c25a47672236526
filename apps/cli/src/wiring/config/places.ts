// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Io } from '../io.ts';
import type { RegistriesConfPlace } from './registries-conf.ts';

/** The directories of certificates: the user's, podman's and docker's. */
export function certsDirectories(env: Io['env']): readonly string[] {
  const home = env['HOME'];
  const own = home === undefined || home === '' ? [] : [join(home, '.config/containers/certs.d')];
  return [...own, '/etc/containers/certs.d', '/etc/docker/certs.d'];
}

/** Where containers' `registries.conf` is. */
export function registriesConfPlace(env: Io['env']): RegistriesConfPlace {
  return { file: env['CONTAINERS_REGISTRIES_CONF'] || undefined };
}
