// SPDX-License-Identifier: Apache-2.0
import {
  type CertsDirectory,
  type CredentialFile,
  listCertsDirectories,
  listCredentialFiles,
  proxyFromEnvironment,
} from '@rkt/registry';
import type { Io } from '../io.ts';
import type { Config, ContainersRule } from './config.ts';
import { certsDirectories, registriesConfPlace } from './places.ts';
import { redactUrl } from './redact.ts';
import { loadRegistriesConf } from './registries-conf.ts';
import { type Stage0Document, stage0Documents } from './stage0-documents.ts';

/** Everything that is configured and where, without the secrets: what `rkt config` prints. */
export interface EffectiveConfig {
  /** What rkt's own directories say. */
  readonly stage0: readonly Stage0Document[];
  /** What `registries.conf` says; used for registries of which `stage0` says nothing. */
  readonly registriesConf: readonly object[];
  /** Files of credentials that docker, podman and skopeo share, after those of `stage0`, in the order in which they count. */
  readonly credentialFiles: readonly CredentialFile[];
  /** What certs.d holds, in the order in which it counts. */
  readonly certificates: readonly CertsDirectory[];
  readonly proxy: object;
}

/** Reads what there is beside `config`. Rejects as loadRegistriesConf and the readers of @rkt/registry do. */
export async function effectiveConfig(config: Config, { env, uid }: Pick<Io, 'env' | 'uid'>): Promise<EffectiveConfig> {
  const rules = await loadRegistriesConf(registriesConfPlace(env));
  return {
    stage0: stage0Documents(config),
    registriesConf: rules.map(registriesConfEntry),
    credentialFiles: await listCredentialFiles({ env, uid }),
    certificates: await listCertsDirectories(certsDirectories(env)),
    proxy: proxyOf(env),
  };
}

function registriesConfEntry({ source, ...rule }: ContainersRule): object {
  return { ...rule, sources: [source] };
}

function proxyOf(env: Io['env']): object {
  const { httpProxy, httpsProxy, noProxy } = proxyFromEnvironment(env) ?? {};
  return {
    http: httpProxy === undefined ? undefined : redactUrl(httpProxy),
    https: httpsProxy === undefined ? undefined : redactUrl(httpsProxy),
    no: noProxy?.split(','),
  };
}
