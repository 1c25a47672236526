// SPDX-License-Identifier: Apache-2.0
export { createFakeHost, type FakeHost, type FakeHostOptions, type HostOperation } from './fake-host.ts';
