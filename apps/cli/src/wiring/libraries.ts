// SPDX-License-Identifier: Apache-2.0

import type {
  AciCompression,
  ConvertedImage,
  ConvertImageOptions,
  ImageArchive,
  ImageFileForm,
  OpenArchiveOptions,
  OpenRootfsOptions,
  ReceiveAciOptions,
  ReceivedAci,
  SpareWorker,
  UnpackArchiveOptions,
} from '@rkt/docker2aci';
import type { Reference } from '@rkt/refparse';
import type { Image, OpenImageOptions } from '@rkt/registry';
import type { Runtime, ServiceState } from '@rkt/stage1';
import type { ErofsSupport, Store } from '@rkt/store';
import type { InsecureOption } from '../args/global-flags.ts';
import type { Downloads } from '../downloads/downloads.ts';
import type { Config } from './config/config.ts';
import type { Io } from './io.ts';

/** What the registry said a reference points at, and the image behind it. */
export interface RemoteImage {
  /** Of the index, where there is one: what a later HEAD request is compared with. */
  readonly digest: string;
  readonly image: Image;
}

/** Registries as the commands need them. */
export interface RegistryAccess extends AsyncDisposable {
  resolve(reference: Reference, signal: AbortSignal): Promise<string>;
  open(reference: Reference, options: OpenImageOptions): Promise<RemoteImage>;
}

export interface RegistrySettings {
  readonly config: Config;
  readonly insecure: ReadonlySet<InsecureOption>;
  readonly env: Io['env'];
  readonly uid: number;
  /** Takes what the user should know though nothing failed. */
  readonly warn: (message: string) => void;
}

export interface DownloadsSettings extends Omit<RegistrySettings, 'uid'> {
  readonly dataDir: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface RuntimeSettings {
  readonly dataDir: string;
  /** Where configured networks are looked for; later ones win. */
  readonly configDirs: readonly string[];
}

/** Where the program of a worker is, the libraries know. */
export interface ConvertOptions extends Omit<ConvertImageOptions, 'startWorker'> {
  readonly spare?: SpareWorker | undefined;
}

/** The libraries, as the commands see them: a test gives others. Each is loaded when it is first used. */
export interface Libraries {
  openStore(dataDir: string, options: { readonly readOnly: boolean }): Promise<Store>;
  openRegistry(settings: RegistrySettings): Promise<RegistryAccess>;
  openDownloads(settings: DownloadsSettings): Promise<Downloads>;
  openRuntime(settings: RuntimeSettings): Promise<Runtime>;
  /** Sends what sd_notify(3) does. */
  notifyService(socket: string, state: ServiceState): Promise<void>;
  openOciLayout(path: string): Promise<ImageArchive>;
  openOciArchive(path: string, options: OpenArchiveOptions): Promise<ImageArchive>;
  openDockerArchive(path: string, options: OpenArchiveOptions): Promise<ImageArchive>;
  openRootfs(path: string, options: OpenRootfsOptions): Promise<Image>;
  compressAci(bytes: AsyncIterable<Uint8Array>, compression: AciCompression): Promise<AsyncIterable<Uint8Array>>;
  unpackArchive(source: AsyncIterable<Uint8Array>, options: UnpackArchiveOptions): Promise<void>;
  /** Whether an archive is a file that is not compressed. */
  isReadableInPlace(path: string): Promise<boolean>;
  /** What a file or directory is, by its content. */
  imageFileForm(path: string, options: { readonly signal: AbortSignal }): Promise<ImageFileForm | undefined>;
  receiveAci(source: AsyncIterable<Uint8Array>, options: ReceiveAciOptions): Promise<ReceivedAci>;
  /** Starts a thread for a conversion that is likely to come. */
  spareWorker(): Promise<SpareWorker>;
  /** Converts with the spare worker if there is one, or else starts those it needs. */
  convertImage(image: Image, options: ConvertOptions): Promise<ConvertedImage>;
  /** Whether the kernel mounts EROFS straight from files below this directory. */
  probeErofs(dir: string): Promise<ErofsSupport>;
}
