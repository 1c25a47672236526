// SPDX-License-Identifier: Apache-2.0
import type { FlagValues } from '../args/flag.ts';
import { usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { RemoteImage } from '../wiring/libraries.ts';
import type { Session } from '../wiring/session.ts';
import { dockerSpelling, imageArgument } from './image-argument.ts';
import { storedName } from './image-names.ts';
import { wantedPlatform } from './obtain-options.ts';

/**
 * What a registry says of an image: its manifest and configuration, verified; no layer travels and nothing is stored. The ID it
 * would have takes its layers to know.
 * @throws {CliError} ERR_RKT_CLI_USAGE for what is no image of a registry
 */
export async function inspectRemote(session: Session, name: string, flags: FlagValues): Promise<object> {
  const argument = imageArgument(name);
  if (argument.kind !== 'docker') throw notRemote(name);
  const platform = await wantedPlatform(flags.text('platform'));
  const registry = await session.registry();
  const { signal } = session.interrupts;
  const remote = await registry.open(argument.reference, { signal, ...(platform === undefined ? {} : { platform }) });
  return await describe(remote);
}

async function describe({ digest, image }: RemoteImage): Promise<object> {
  const [{ toAciManifest }, { formatPlatform }] = await Promise.all([
    import('@rkt/docker2aci'),
    import('@rkt/registry'),
  ]);
  const { reference, descriptor, configDescriptor, config, configBytes, layers } = image;
  const { domain, path } = reference;
  const digests = { configDigest: configDescriptor.digest, manifestDigest: descriptor.digest };
  return {
    names: [storedName(reference)],
    platform: formatPlatform(config.platform),
    digest: descriptor.digest,
    // Of the list the image was chosen from, which is what the tag means.
    index_digest: digest === descriptor.digest ? undefined : digest,
    config_digest: configDescriptor.digest,
    size: layers.reduce((sum, layer) => sum + layer.descriptor.size, 0),
    layers: layers.map((layer) => ({
      digest: layer.descriptor.digest,
      media_type: layer.descriptor.mediaType,
      size: layer.descriptor.size,
      diff_id: layer.diffId,
    })),
    manifest: toAciManifest(config, { domain, path, ...digests }),
    config: JSON.parse(new TextDecoder().decode(configBytes)),
  };
}

function notRemote(name: string): Error {
  const docker = dockerSpelling(name);
  const hint = docker === undefined ? 'give a docker:// reference' : `for a Docker image write ${docker}`;
  return usageError(`${quote(name)} is no image of a registry`, hint);
}
