// SPDX-License-Identifier: Apache-2.0
export { createFakeFlavor } from './fake-flavor.ts';
export { createFakeHost, type FakeHost, type FakeHostOptions, type HostOperation } from './fake-host.ts';
export { type FlavorContractCase, type FlavorContractOptions, flavorContract } from './flavor-contract.ts';
