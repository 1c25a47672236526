// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { acVersion, type ImageManifest } from '@rkt/appc';
import type { Image } from '@rkt/registry';
import { compressAci } from '../compress-aci.ts';
import { convertLayers } from '../convert-layers.ts';
import { convertToAci } from '../convert-to-aci.ts';
import { quote } from '../errors.ts';
import type { ConversionEvent } from '../progress.ts';
import { type CommandArguments, parseArguments, UsageError, usage } from './arguments.ts';
import type { CommandIo } from './io.ts';
import { type OpenImage, openImage } from './open-image.ts';
import { report, sizeText } from './report.ts';
import { writeWholeFile } from './write-file.ts';

const FAILURE = 1;
const MISUSE = 2;

/** Runs docker2aci and resolves to its exit status. Never rejects. `version` is that of the program. */
export async function main(argv: readonly string[], io: CommandIo, version: string): Promise<number> {
  try {
    const args = parseArguments(argv);
    if (args.version) {
      io.out(`docker2aci version ${version}\nappc version ${acVersion}\n`);
      return 0;
    }
    const [operand, ...others] = args.operands;
    if (operand === undefined || others.length > 0) throw new UsageError('');
    if (args.debug) io.err('Getting image info...\n');
    await using opened = await openImage(operand, args, io);
    const { manifest, files } = await (args.nosquash ? writeLayers : writeSquashed)(opened, args, io);
    io.out(report(manifest, files));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`${error.message === '' ? '' : `${error.message}\n`}${usage}`);
      return MISUSE;
    }
    const message = error instanceof Error ? error.message : String(error);
    io.err(`Error: ${'code' in Object(error) ? 'conversion error: ' : ''}${message}\n`);
    return FAILURE;
  }
}

interface Written {
  /** The one that says how to run the image. */
  readonly manifest: ImageManifest;
  readonly files: readonly string[];
}

async function writeSquashed({ image, isRemote }: OpenImage, args: CommandArguments, io: CommandIo): Promise<Written> {
  let manifest: ImageManifest | undefined;
  const file = `${fileStem(image)}.aci`;
  const bytes = convertToAci(image, {
    ...conversion(image, isRemote, io),
    compression: args.compression,
    onConverted: (converted) => {
      manifest = converted.manifest;
      if (args.debug) io.err('Writing squashed ACI...\n');
    },
  });
  await writeWholeFile(join(io.directory, file), bytes, io.signal);
  if (args.debug) io.err('ACI squashed!\n');
  if (manifest === undefined) throw new TypeError('a conversion ended without a manifest');
  return { manifest, files: [file] };
}

/** All of them or none: one layer's ACI is no image. */
async function writeLayers(opened: OpenImage, args: CommandArguments, io: CommandIo): Promise<Written> {
  const files: string[] = [];
  try {
    return await writeEach(files, opened, { args, io });
  } catch (error) {
    await Promise.all(files.map((file) => rm(join(io.directory, file), { force: true })));
    throw error;
  }
}

interface Command {
  readonly args: CommandArguments;
  readonly io: CommandIo;
}

async function writeEach(files: string[], { image, isRemote }: OpenImage, { args, io }: Command): Promise<Written> {
  let top: ImageManifest | undefined;
  const last = Math.max(0, image.layers.length - 1);
  for await (const { position, manifest, bytes } of convertLayers(image, conversion(image, isRemote, io))) {
    if (args.debug) io.err('Generating layer ACI...\n');
    const platform = ['os', 'arch'].map((name) => manifest.labels?.find((label) => label.name === name)?.value ?? '');
    const file = `${[fileStem(image), ...platform, last - position].join('-')}.aci`;
    await writeWholeFile(join(io.directory, file), compressAci(bytes, args.compression), io.signal);
    files.push(file);
    top = manifest;
  }
  if (top === undefined) throw new TypeError('a conversion ended without a manifest');
  return { manifest: top, files };
}

function conversion({ reference: { tag } }: Image, isRemote: boolean, io: CommandIo) {
  return {
    signal: io.signal,
    onProgress: showProgress(isRemote ? 'Downloading' : 'Extracting ', io),
    ...(tag === undefined ? {} : { version: tag }),
  };
}

const DIGEST_SHOWN = 'sha256:'.length + 11;

/** One line for a layer, when all of it is there. */
function showProgress(verb: string, io: CommandIo): (event: ConversionEvent) => void {
  const sizes = new Map<string, number>();
  return (event) => {
    if (event.type === 'layer:start') sizes.set(event.digest, event.size);
    if (event.type !== 'layer:done') return;
    const size = sizeText(sizes.get(event.digest) ?? event.size);
    io.err(`${verb} ${event.digest.slice(0, DIGEST_SHOWN)} ${size} / ${size}\n`);
  };
}

/** `library-busybox-latest`: nothing of an image becomes a directory. */
function fileStem({ reference: { path, tag } }: Image): string {
  const stem = [path.replaceAll('/', '-'), ...(tag === undefined ? [] : [tag])].join('-');
  // Paths and tags have these characters alone; whoever made the reference, nothing else is written to.
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(stem)) return stem;
  throw new TypeError(`no file can be called ${quote(stem)}`);
}
