// SPDX-License-Identifier: Apache-2.0
import { parentPort } from 'node:worker_threads';
import { layoutOf } from '../../src/cas/layout.ts';
import { PRIVATE } from '../../src/cas/modes.ts';
import { temporaryPath } from '../../src/cas/temporary.ts';
import { currentOwner } from '../../src/host/owner.ts';

const layout = { ...layoutOf('/'), temporary: '/tmp' };
const context = { layout, owner: currentOwner(), modes: PRIVATE, step: () => undefined };
parentPort?.postMessage(temporaryPath(context, 'file'));
