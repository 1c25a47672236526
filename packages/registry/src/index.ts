// SPDX-License-Identifier: Apache-2.0
export type { AuthFilePlaces } from './auth/auth-files.ts';
export { anonymous, type Credential, chainKeychains, type Keychain, staticKeychain } from './auth/credential.ts';
export { type CredentialFile, listCredentialFiles, type StoredCredential } from './auth/credential-files.ts';
export { type FileExposure, fileExposure } from './auth/exposed-files.ts';
export { authFileKeychain, dockerConfigKeychain, type FileKeychainOptions } from './auth/file-keychains.ts';
export { defaultHost, type HostCapability, type RegistryHost } from './client/hosts.ts';
export type { PutBlobOptions, PutManifestOptions } from './client/push.ts';
export type { ListReferrersOptions, Subject } from './client/referrers.ts';
export { createRegistry, type Registry, type RegistryLimits, type RegistryOptions } from './client/registry.ts';
export type { RetryEvent, RetryPolicy } from './client/retry.ts';
export type { ListTagsOptions } from './client/tags.ts';
export { isRegistryError, RegistryError, type RegistryErrorCode, type RegistryErrorContext } from './errors.ts';
export { type ConfigContext, parseImageConfig } from './image/config.ts';
export type { ContentProvider, DiffIdOf, FetchedManifest } from './image/content-provider.ts';
export type {
  AbortOptions,
  BlobReader,
  ContainerConfig,
  Descriptor,
  Image,
  ImageConfig,
  ImageSource,
  Layer,
  OpenBlobOptions,
  OpenImageEvent,
  OpenImageOptions,
  Platform,
} from './image/image.ts';
export type { JsonObject } from './image/json.ts';
export {
  type ImageIndex,
  type ImageManifest,
  type Manifest,
  type ManifestContext,
  parseManifest,
} from './image/manifest.ts';
export { formatPlatform, hostPlatform, matchPlatform, parsePlatform, selectManifest } from './image/platform.ts';
export type { Schema1Entry } from './image/schema1-entry.ts';
export type { Schema1Manifest } from './image/schema1-manifest.ts';
export { type ImageSourceOptions, imageSource } from './image/source.ts';
export { isLocalAddress, isLoopback } from './protocol/addresses.ts';
export { followRedirect, isRedirect, type RedirectPolicy } from './protocol/redirect.ts';
export { type CertsDirectory, listCertsDirectories, readCertsDirectories } from './transport/certs-directories.ts';
export { type ProxySettings, proxyFromEnvironment } from './transport/proxy.ts';
export { readSystemCertificates } from './transport/system-certificates.ts';
export type { TlsLookup, TlsSettings } from './transport/tls-settings.ts';
export {
  header,
  type ResponseBody,
  type ResponseHeaders,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from './transport/transport.ts';
export { type ClosableTransport, type UndiciTransportOptions, undiciTransport } from './transport/undici.ts';
