// SPDX-License-Identifier: Apache-2.0
export { openRangeReservations, type RangeReservations } from './range-reservations.ts';
