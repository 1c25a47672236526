// SPDX-License-Identifier: Apache-2.0

/** The dependency rule between packages: name -> the @rkt packages its sources may import. Unused leave is an error too. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  refparse: [],
  appc: [],
  registry: ['refparse'],
  docker2aci: ['appc', 'refparse', 'registry'],
  store: ['appc'],
  stage1: ['appc'],
  cli: ['appc', 'docker2aci', 'refparse', 'registry', 'stage1', 'store'],
};

/** Rooms that compute and do nothing else: no module of Node's or of third parties but those named, by no detour. */
export const pureRooms: Readonly<Record<string, readonly string[]>> = {
  'packages/refparse/src': [],
  'packages/appc/src': [],
  'packages/registry/src/protocol': [],
  'packages/docker2aci/src/manifest': [],
  'packages/store/src/trees/erofs': [],
  'packages/stage1/src/oci-spec': [],
};

/** Modules with power over the host, and the only rooms that may import them. */
export const confined: Readonly<Record<string, readonly string[]>> = {
  koffi: ['packages/store/src/host', 'packages/stage1/src/host'],
  openpgp: ['apps/cli/src/trust'],
  'node:sqlite': ['packages/store/src/records'],
};
