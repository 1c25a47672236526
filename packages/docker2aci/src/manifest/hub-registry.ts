// SPDX-License-Identifier: Apache-2.0

/** Docker Hub by the name of its registry, as rkt's images have it. */
export const HUB_REGISTRY = 'registry-1.docker.io';
