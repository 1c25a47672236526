// SPDX-License-Identifier: Apache-2.0
import type { Reference } from '@rkt/refparse';
import {
  authFileKeychain,
  type ContentProvider,
  type Credential,
  chainKeychains,
  createRegistry,
  type DiffIdOf,
  dockerConfigKeychain,
  type FileKeychainOptions,
  imageSource,
  type Keychain,
  type OpenImageOptions,
  type Registry,
  type RegistryHost,
  staticKeychain,
  type TlsLookup,
} from '@rkt/registry';
import { quote } from '../render/quote.ts';
import type { Config, ContainersRule } from './config/config.ts';
import { exposedFiles, exposureOf } from './config/exposed-files.ts';
import { registriesConfPlace } from './config/places.ts';
import { loadRegistriesConf, ruleFor } from './config/registries-conf.ts';
import type { RegistryAccess, RegistrySettings, RemoteImage } from './libraries.ts';
import { openTransport } from './open-transport.ts';
import { hostsOf, hostsOfRule } from './registry-hosts.ts';

/** Registries with everything that is configured about them. */
export async function openRegistry({ config, insecure, env, uid, warn }: RegistrySettings): Promise<RegistryAccess> {
  const onExposed: FileKeychainOptions['onExposed'] = (path, exposure) => warn(exposureOf({ path, exposure }));
  for (const file of await exposedFiles(config)) warn(exposureOf(file));
  const { transport, tls } = openTransport(env);
  let rules: Promise<readonly ContainersRule[]> | undefined;
  const shared = (): Promise<readonly ContainersRule[]> => {
    rules ??= loadRegistriesConf(registriesConfPlace(env));
    return rules;
  };
  const registry = createRegistry({
    transport: transport.send,
    keychain: keychain(config, { env, uid, onExposed }),
    hosts: async (domain, repository) => {
      const own = config.registries.get(domain)?.rule;
      // What is configured for rkt itself counts before what is configured for all of podman's kin.
      const rule = own === undefined ? ruleFor(repository, await shared()) : undefined;
      const hosts = rule === undefined ? hostsOf(domain, own, insecure) : hostsOfRule(repository, rule, insecure);
      return Promise.all(hosts.map((host) => withTls(host, tls)));
    },
  });
  return {
    resolve: async (reference, signal) => (await registry.resolve(reference, { signal })).digest,
    open: (reference, options) => openImage({ registry, warn }, reference, options),
    [Symbol.asyncDispose]: async () => {
      await registry[Symbol.asyncDispose]();
      await transport.close();
    },
  };
}

/** A registry on loopback is asked over plain HTTP first, unless there is a directory of certificates for it. */
async function withTls(host: RegistryHost, tls: TlsLookup): Promise<RegistryHost> {
  if (host.insecure === 'http' || !host.origin.startsWith('http:')) return host;
  const origin = host.origin.replace(/^http:/, 'https:');
  return (await tls(origin)) === undefined ? host : { ...host, origin };
}

/** rkt's own `auth.d`, then the file podman and skopeo use, then docker's. */
function keychain(config: Config, files: FileKeychainOptions): Keychain {
  const own = Array.from(config.dockerAuth, ([domain, { credential, source }]): [string, Credential] => [
    domain,
    { kind: 'basic', username: credential.user, password: credential.password, source },
  ]);
  return chainKeychains(staticKeychain(Object.fromEntries(own)), authFileKeychain(files), dockerConfigKeychain(files));
}

const SCHEMA1_WARNING =
  'is a Docker schema 1 image, a format of before 2017, whose layers are read twice: ask its publisher to push it again';

interface ImageAccess {
  readonly registry: Registry;
  readonly warn: RegistrySettings['warn'];
}

/** The first manifest that is read is what the reference itself points at, be it an index. */
async function openImage(
  { registry, warn }: ImageAccess,
  reference: Reference,
  options: OpenImageOptions,
): Promise<RemoteImage> {
  let digest: string | undefined;
  const provider: ContentProvider = {
    getManifest: async (wanted, abort) => {
      const fetched = await registry.getManifest(wanted, abort);
      digest ??= fetched.descriptor.digest;
      return fetched;
    },
    getBlob: (repository, target, transfer) => registry.getBlob(repository, target, transfer),
    getBlobSize: (repository, blob, abort) => registry.getBlobSize(repository, blob, abort),
  };
  const image = await imageSource(provider, { diffIdOf }).open(reference, {
    ...options,
    onProgress: (event) => {
      if (event.type === 'image:schema1') warn(`${quote(event.reference)} ${SCHEMA1_WARNING}`);
      options.onProgress?.(event);
    },
  });
  return { digest: digest ?? image.descriptor.digest, image };
}

/** Loaded when it is needed: hardly any image is of schema 1. */
const diffIdOf: DiffIdOf = async (blob, options) => {
  const docker2aci = await import('@rkt/docker2aci');
  docker2aci.exposeCollector();
  return docker2aci.diffIdOf(blob, options);
};
