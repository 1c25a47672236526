// SPDX-License-Identifier: Apache-2.0
import type { Libraries } from './libraries.ts';

/** The libraries rkt is made of. Each is loaded with its first use, so that a command pays only for what it needs. */
export const installedLibraries: Libraries = {
  openStore: async (dataDir, options) => {
    const [{ openStore }, { embeddedParts }] = await Promise.all([import('@rkt/store'), import('./embedded-parts.ts')]);
    return openStore(dataDir, {
      ...options,
      ...(embeddedParts === undefined ? {} : { startWorker: embeddedParts.startHashing }),
    });
  },
  openRegistry: async (settings) => {
    const [{ openRegistry }, { postponeWasmTierUp }] = await Promise.all([
      import('./open-registry.ts'),
      import('./wasm-tier-up.ts'),
    ]);
    postponeWasmTierUp();
    return openRegistry(settings);
  },
  openDownloads: async (settings) => {
    const { openDownloads } = await import('./open-downloads.ts');
    return await openDownloads(settings);
  },
  openRuntime: async (settings) => {
    const { openRuntime } = await import('./open-runtime.ts');
    return openRuntime(settings);
  },
  notifyService: async (socket, state) => {
    const { notifyService } = await import('@rkt/stage1');
    return notifyService(socket, state);
  },
  openOciLayout: async (path) => {
    const { openOciLayout } = await import('@rkt/docker2aci');
    return openOciLayout(path);
  },
  openOciArchive: async (path, options) => {
    const { openOciArchive } = await import('@rkt/docker2aci');
    return openOciArchive(path, options);
  },
  openDockerArchive: async (path, options) => {
    const { openDockerArchive } = await import('@rkt/docker2aci');
    return openDockerArchive(path, options);
  },
  openRootfs: async (path, options) => {
    const { openRootfs } = await import('@rkt/docker2aci');
    return openRootfs(path, options);
  },
  compressAci: async (bytes, compression) => {
    const { compressAci } = await import('@rkt/docker2aci');
    return compressAci(bytes, compression);
  },
  unpackArchive: async (source, options) => {
    const { unpackArchive } = await import('@rkt/docker2aci');
    return unpackArchive(source, options);
  },
  isReadableInPlace: async (path) => {
    const { isReadableInPlace } = await import('@rkt/docker2aci');
    return isReadableInPlace(path);
  },
  imageFileForm: async (path, options) => {
    const { imageFileForm } = await import('@rkt/docker2aci');
    return imageFileForm(path, options);
  },
  receiveAci: async (source, options) => {
    const { receiveAci } = await import('@rkt/docker2aci');
    return receiveAci(source, options);
  },
  spareWorker: async () => {
    const [{ createSpareWorker }, { embeddedParts }] = await conversion();
    return createSpareWorker(embeddedParts?.startWorker);
  },
  convertImage: async (image, { spare, ...options }) => {
    const [{ convertImage, exposeCollector }, { embeddedParts }] = await conversion();
    exposeCollector();
    const startWorker = spare?.startWorker ?? embeddedParts?.startWorker;
    return convertImage(image, { ...options, ...(startWorker === undefined ? {} : { startWorker }) });
  },
  probeErofs: async (dir) => {
    const { probeErofs } = await import('@rkt/store');
    return probeErofs(dir);
  },
};

function conversion() {
  return Promise.all([import('@rkt/docker2aci'), import('./embedded-parts.ts')]);
}
