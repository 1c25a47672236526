// SPDX-License-Identifier: Apache-2.0
export { createSandbox } from './create-sandbox.ts';
export { detachSandbox } from './detach-sandbox.ts';
export { endLeftovers } from './end-leftovers.ts';
export { releaseEnded } from './release-ended.ts';
export { emptyCgroup, releaseSandbox } from './release-sandbox.ts';
export { initCgroup } from './start-init.ts';
export { endApps, stopApp, stopSandbox } from './stop-sandbox.ts';
export { waitSandbox } from './wait-sandbox.ts';
