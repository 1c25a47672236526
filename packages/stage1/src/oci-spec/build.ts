// SPDX-License-Identifier: Apache-2.0
import { inertAnnotations } from './annotations.ts';
import { boundingSet, processCapabilities } from './capabilities.ts';
import type { OciSpecInput } from './input.ts';
import { readIsolators } from './isolators.ts';
import { podMounts } from './mounts.ts';
import { idMappings, linuxNamespaces, networkSysctls, sysOf } from './namespaces.ts';
import { buildProcess } from './process.ts';
import { maskedPaths, readonlyPaths } from './protected-paths.ts';
import { linuxResources } from './resources.ts';
import { seccompProfile } from './seccomp/profile.ts';
import type { OciSpec } from './spec.ts';

/**
 * The OCI runtime configuration (`config.json`, specification 1.0.2) of one app of a pod.
 *
 * Pure: the same input gives the same configuration; nothing is read from the host.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_APP_INVALID (empty or unusable exec, working directory, environment),
 *   ERR_RKT_STAGE1_ISOLATOR_INVALID, ERR_RKT_STAGE1_MOUNT_INVALID
 */
export function buildOciSpec(input: OciSpecInput): OciSpec {
  const isolators = readIsolators(input.app.isolators ?? []);
  const bounding = boundingSet(input, isolators);
  const capabilities = processCapabilities(bounding, { uid: input.user.uid, asked: isolators.capabilitiesRetain });
  const seccomp = input.insecure?.seccomp ? undefined : seccompProfile(isolators, bounding, input.architecture);
  const sysctl = networkSysctls(input.namespaces);
  return {
    ociVersion: '1.0.2',
    process: buildProcess(input, isolators, capabilities),
    root: { path: input.rootfsPath, readonly: input.readOnlyRootfs },
    ...(input.hostname !== undefined && input.namespaces.uts !== 'host' && { hostname: input.hostname }),
    mounts: podMounts(input.mounts, sysOf(input.namespaces)),
    ...(input.annotations && { annotations: inertAnnotations(input.annotations) }),
    linux: {
      namespaces: linuxNamespaces(input.namespaces),
      ...idMappings(input.namespaces),
      cgroupsPath: input.cgroupsPath,
      resources: linuxResources(isolators),
      // crun refuses a specification that leaves the propagation to the host.
      rootfsPropagation: 'private',
      maskedPaths: input.insecure?.paths ? [] : maskedPaths,
      readonlyPaths: input.insecure?.paths ? [] : readonlyPaths,
      ...(sysctl && { sysctl }),
      ...(seccomp && { seccomp }),
    },
  };
}
