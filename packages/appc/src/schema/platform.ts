// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';

/** A platform as Go and the OCI image spec name it. */
export interface OciPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** A platform as the `os` and `arch` labels of an ACI name it. */
export interface AppcPlatform {
  readonly os: string;
  readonly arch: string;
}

interface Row {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly arch: string;
}

/**
 * appc spec 0.8.11, "os and arch", continued in the same manner for platforms younger than it. The first row with an
 * appc name is the one its way back leads to. A row without a variant stands for all variants no other row names.
 */
const ROWS: readonly Row[] = [
  { os: 'linux', architecture: 'amd64', arch: 'amd64' },
  { os: 'linux', architecture: '386', arch: 'i386' },
  { os: 'linux', architecture: 'arm64', arch: 'aarch64' },
  { os: 'linux', architecture: 'arm64be', arch: 'aarch64_be' },
  { os: 'linux', architecture: 'arm', variant: 'v5', arch: 'armv5l' },
  { os: 'linux', architecture: 'arm', variant: 'v6', arch: 'armv6l' },
  { os: 'linux', architecture: 'arm', variant: 'v7', arch: 'armv7l' },
  { os: 'linux', architecture: 'arm', variant: 'v8', arch: 'armv7l' },
  { os: 'linux', architecture: 'arm', variant: '', arch: 'armv6l' },
  { os: 'linux', architecture: 'armbe', arch: 'armv7b' },
  ...['ppc64', 'ppc64le', 's390x', 'riscv64', 'loong64', 'mips', 'mipsle', 'mips64', 'mips64le'].map((name) => ({
    os: 'linux',
    architecture: name,
    arch: name,
  })),
  { os: 'freebsd', architecture: 'amd64', arch: 'amd64' },
  { os: 'freebsd', architecture: '386', arch: 'i386' },
  { os: 'freebsd', architecture: 'arm', arch: 'arm' },
  { os: 'freebsd', architecture: 'arm64', arch: 'aarch64' },
  { os: 'darwin', architecture: 'amd64', arch: 'x86_64' },
  { os: 'darwin', architecture: '386', arch: 'i386' },
  { os: 'darwin', architecture: 'arm64', arch: 'aarch64' },
];

/**
 * The `os` and `arch` labels of a platform. `arm` without a variant is `armv6l`, as docker2aci had it.
 *
 * @throws AppcError `ERR_RKT_APPC_PLATFORM` for a platform appc has no name for.
 */
export function toAppcPlatform(platform: OciPlatform): AppcPlatform {
  const { os, architecture, variant = '' } = platform;
  const row = ROWS.find(
    (each) =>
      each.os === os && each.architecture === architecture && (each.variant === undefined || each.variant === variant),
  );
  if (row !== undefined) return { os: row.os, arch: row.arch };
  throw unknownPlatform(variant === '' ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`);
}

/**
 * The platform that `os` and `arch` labels name.
 *
 * @throws AppcError `ERR_RKT_APPC_PLATFORM` for labels that are in no table.
 */
export function fromAppcPlatform(platform: AppcPlatform): OciPlatform {
  const row = ROWS.find((each) => each.os === platform.os && each.arch === platform.arch);
  if (row === undefined) throw unknownPlatform(`${platform.os}/${platform.arch}`);
  const { os, architecture, variant } = row;
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

function unknownPlatform(name: string): AppcError {
  return new AppcError('ERR_RKT_APPC_PLATFORM', `no known platform is called ${quoteUntrusted(name)}`);
}
