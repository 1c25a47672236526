// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';

/** CNI specification 1.0.0, CNI_CONTAINERID; it also becomes a file name. */
export function isContainerId(podId: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(podId);
}

/** @throws Stage1Error ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID */
export function checkPodId(podId: string): void {
  if (isContainerId(podId)) return;
  throw new Stage1Error('ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID', `pod id ${quote(podId)} cannot name a container`);
}
