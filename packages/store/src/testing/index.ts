// SPDX-License-Identifier: Apache-2.0
export type { ContractCase } from './contract-case.ts';
export {
  ingestLayer,
  putAci,
  type SampleAci,
  type SampleImage,
  type SampleLayer,
  sampleAci,
  sampleImage,
  sampleLayer,
  tarLayer,
} from './sample-image.ts';
export { type StoreContractOptions, storeContract } from './store-contract.ts';
