// SPDX-License-Identifier: Apache-2.0
import {
  authFileKeychain,
  type Credential,
  chainKeychains,
  createRegistry,
  dockerConfigKeychain,
  imageSource,
  type Keychain,
  proxyFromEnvironment,
  type Registry,
  staticKeychain,
  undiciTransport,
} from '@rkt/registry';
import type { Config } from './config/config.ts';
import type { Io } from './io.ts';
import type { RegistryAccess, RegistrySettings, RemoteImage } from './libraries.ts';
import { hostsOf } from './registry-hosts.ts';

/** Registries with everything that is configured about them. */
export function openRegistry({ config, insecure, env }: RegistrySettings): RegistryAccess {
  const proxy = proxyFromEnvironment(env);
  const transport = undiciTransport(proxy === undefined ? {} : { proxy });
  const registry = createRegistry({
    transport: transport.send,
    keychain: keychain(config, env),
    hosts: (domain) => hostsOf(domain, config.registries.get(domain), insecure),
  });
  return {
    resolve: async (reference, signal) => (await registry.resolve(reference, { signal })).digest,
    open: (reference, signal) => openImage(registry, reference, signal),
    [Symbol.asyncDispose]: async () => {
      await registry[Symbol.asyncDispose]();
      await transport.close();
    },
  };
}

/** rkt's own `auth.d`, then the file podman and skopeo use, then docker's. */
function keychain(config: Config, env: Io['env']): Keychain {
  const own = Array.from(config.dockerCredentials, ([domain, { user, password }]): [string, Credential] => [
    domain,
    { kind: 'basic', username: user, password },
  ]);
  return chainKeychains(
    staticKeychain(Object.fromEntries(own)),
    authFileKeychain({ env }),
    dockerConfigKeychain({ env }),
  );
}

/** The first manifest that is read is what the reference itself points at, be it an index. */
async function openImage(
  registry: Registry,
  reference: Parameters<RegistryAccess['open']>[0],
  signal: AbortSignal,
): Promise<RemoteImage> {
  let digest: string | undefined;
  const source = imageSource({
    getManifest: async (wanted, options) => {
      const fetched = await registry.getManifest(wanted, options);
      digest ??= fetched.descriptor.digest;
      return fetched;
    },
    getBlob: (repository, target, options) => registry.getBlob(repository, target, options),
  });
  const image = await source.open(reference, { signal });
  return { digest: digest ?? image.descriptor.digest, image };
}
