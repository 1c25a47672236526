// SPDX-License-Identifier: Apache-2.0

export interface DeviceParts {
  readonly major: number;
  readonly minor: number;
}

/** The C library's 64-bit `dev_t`, for 12 bits of major and 20 of minor: Linux has no more. */
export function deviceNumber({ major, minor }: DeviceParts): bigint {
  return BigInt((minor & 0xff) | (major << 8)) | (BigInt(minor & 0xfff00) << 12n);
}

/** The reverse. */
export function deviceParts(device: bigint): DeviceParts {
  const major = Number(device >> 8n) & 0xfff;
  const minor = Number(device & 0xffn) | (Number(device >> 12n) & 0xfff00);
  return { major, minor };
}
