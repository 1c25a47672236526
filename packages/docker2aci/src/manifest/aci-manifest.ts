// SPDX-License-Identifier: Apache-2.0
import {
  acVersion,
  type ImageManifest,
  isAppcError,
  type NameValue,
  sanitizeAcIdentifier,
  toAppcPlatform,
} from '@rkt/appc';
import type { ImageConfig, Platform } from '@rkt/registry';
import { ConversionError, quote } from '../errors.ts';
import { imageAnnotations } from './annotations.ts';
import { toApp } from './app.ts';
import { HUB_REGISTRY } from './hub-registry.ts';

/** Where an image comes from, as far as its manifest says so: no tag, no spelling, no time. */
export interface ManifestContext {
  /** Host and port, `docker.io` for Docker Hub; empty for an image that comes from a file. */
  readonly domain: string;
  /** Path of the repository, e.g. `library/redis`. */
  readonly path: string;
  /** Of the image configuration. */
  readonly configDigest: string;
  /** Of the manifest of the platform. */
  readonly manifestDigest: string;
}

/**
 * The image manifest (appc spec 0.8.11) of a Docker or OCI image. Canonical: the same configuration and context give an
 * equal manifest, property for property, and `serializeImageManifest` gives equal bytes.
 *
 * @throws ConversionError `UNSUPPORTED_PLATFORM`, `CONFIG_INVALID` (a port or a volume that cannot be one)
 */
export function toAciManifest(config: ImageConfig, context: ManifestContext): ImageManifest {
  const registry = context.domain === 'docker.io' ? HUB_REGISTRY : context.domain;
  return {
    acKind: 'ImageManifest',
    acVersion,
    name: imageName(registry, context.path),
    labels: platformLabels(config.platform),
    ...(config.config === undefined ? {} : { app: toApp(config.config) }),
    annotations: imageAnnotations(config, { ...context, registry }),
  };
}

function imageName(registry: string, path: string): string {
  const full = registry === '' ? path : `${registry}/${path}`;
  try {
    return sanitizeAcIdentifier(full);
  } catch (error) {
    const text = `no image name can be made of ${quote(full)}`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_CONFIG_INVALID', text, { cause: error });
  }
}

function platformLabels(platform: Platform): readonly NameValue[] {
  try {
    const { os, arch } = toAppcPlatform(platform);
    return [
      { name: 'arch', value: arch },
      { name: 'os', value: os },
    ];
  } catch (error) {
    if (!isAppcError(error)) throw error;
    const name = [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join('/');
    throw new ConversionError(
      'ERR_RKT_DOCKER2ACI_UNSUPPORTED_PLATFORM',
      `no ACI can be for the platform ${quote(name)}`,
      {
        actual: name.slice(0, 200),
        cause: error,
      },
    );
  }
}
