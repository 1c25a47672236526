// SPDX-License-Identifier: Apache-2.0

export type Call = (...values: readonly unknown[]) => number;

/** Declares a function of the C library; called, it throws a SystemCallError for a result below zero. */
export type Binder = (name: string, parameters: string) => Call;
