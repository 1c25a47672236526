// SPDX-License-Identifier: Apache-2.0
import { parentPort } from 'node:worker_threads';
import { layoutOf } from '../../src/cas/layout.ts';
import { temporaryPath } from '../../src/cas/temporary.ts';
import { currentOwner } from '../../src/host/owner.ts';

const layout = { ...layoutOf('/'), temporary: '/tmp' };
parentPort?.postMessage(temporaryPath({ layout, owner: currentOwner(), step: () => undefined }, 'file'));
