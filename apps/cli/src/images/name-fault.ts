// SPDX-License-Identifier: Apache-2.0
import { codeOf, hasCode } from '../errors.ts';

const FAULTS: readonly string[] = [
  ...['IMAGE_NOT_IN_STORE', 'DISCOVERY', 'UNSUPPORTED', 'USAGE'].map((fault) => `ERR_RKT_CLI_${fault}`),
  ...['IMAGE_NOT_FOUND', 'AMBIGUOUS_PREFIX', 'PREFIX_TOO_SHORT'].map((fault) => `ERR_RKT_STORE_${fault}`),
];

/** Whether an error says that an image is called wrongly, rather than that the store cannot be read. */
export function isNameFault(error: unknown): error is Error {
  return codeOf(error)?.startsWith('ERR_RKT_REFPARSE_') === true || hasCode(error, ...FAULTS);
}
