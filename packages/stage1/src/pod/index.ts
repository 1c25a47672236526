// SPDX-License-Identifier: Apache-2.0
export { hasCode, readTextFile, writeFileAtomically } from './files.ts';
export { forgetKeptExit, keptExitDir, outOfMemoryFile } from './kept-exit.ts';
export { appCgroup, appMembers, podCgroup } from './pod-cgroup.ts';
export { type OwnedPod, openPodDirectory, type PodDirectory, type PodLocation } from './pod-directory.ts';
export { isPodId } from './pod-id.ts';
export { isIdentity } from './record-shapes.ts';
export { type AppRecord, type RunRecord, records, type SandboxRecord } from './records.ts';
export { isLive, mayMove, type PodStage, podStages, stateOf, visibleStages } from './states.ts';
