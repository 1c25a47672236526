// SPDX-License-Identifier: Apache-2.0

const LOGIN = 'put credentials for the registry into auth.d of /etc/rkt or into ~/.docker/config.json';
const LIST_IMAGES = "run 'rkt image list' to see what the store has";
const LIST_PODS = "run 'rkt list' to see the pods";

/** What to do about an error, by its code. The libraries know what happened; only here is known which command helps. */
const HINTS: Readonly<Record<string, string>> = {
  ERR_RKT_CLI_UNKNOWN_COMMAND: "run 'rkt help' for usage",
  ERR_RKT_CLI_NOT_ROOT: 'run the command as root',
  ERR_RKT_REGISTRY_UNAUTHORIZED: LOGIN,
  ERR_RKT_REGISTRY_DENIED: `check the spelling of the image; if it is private, ${LOGIN}`,
  ERR_RKT_REGISTRY_NOT_FOUND: 'check the spelling of the image and its tag',
  ERR_RKT_REGISTRY_RATE_LIMITED: `wait, or ${LOGIN}`,
  ERR_RKT_REGISTRY_UNREACHABLE: 'check the network, the proxy settings and the mirrors in registries.d of /etc/rkt',
  ERR_RKT_REGISTRY_TLS:
    "put the certificate of the registry's authority, as a *.crt file, into /etc/docker/certs.d/HOST, or, if you trust the registry all the same, add --insecure-options=image,tls",
  ERR_RKT_REGISTRY_CERTIFICATES_INVALID:
    'in certs.d/HOST:PORT, *.crt are authorities and *.cert with *.key of the same name are what this client shows',
  ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM: 'choose one with --platform=OS/ARCH[/VARIANT]',
  ERR_RKT_REGISTRY_FOREIGN_LAYER: 'if you trust whoever made the image, add --allow-foreign-layers',
  ERR_RKT_REGISTRY_INSECURE_REFUSED: 'if you trust the network, add --insecure-options=image,http',
  ERR_RKT_REGISTRY_CREDENTIAL_HELPER: 'check the credential helper in ~/.docker/config.json',
  ERR_RKT_STORE_PERMISSION: 'run the command as root',
  ERR_RKT_STORE_IMAGE_NOT_FOUND: LIST_IMAGES,
  ERR_RKT_STORE_AMBIGUOUS_PREFIX: 'give more digits of the ID',
  ERR_RKT_STORE_PREFIX_TOO_SHORT: 'give at least two digits after sha512-',
  ERR_RKT_STORE_IMAGE_IN_USE: "remove the pods that use it first: 'rkt list', 'rkt rm UUID'",
  ERR_RKT_STORE_DEPENDENCY_NOT_FOUND: 'fetch the image it depends on first',
  ERR_RKT_STORE_LAYER_MISSING: "run 'rkt image verify', then remove and fetch the image again",
  ERR_RKT_STORE_CORRUPT: "run 'rkt image verify'",
  ERR_RKT_STORE_NEWER_FORMAT: 'use the version of rkt that wrote the store, or another --dir',
  ERR_RKT_STORE_DISK_FULL: "free space, for instance with 'rkt gc' and 'rkt image gc'",
  ERR_RKT_STORE_NOT_A_STORE: 'choose the data directory with --dir',
  ERR_RKT_STAGE1_POD_NOT_FOUND: LIST_PODS,
  ERR_RKT_STAGE1_AMBIGUOUS_POD_ID: 'give more digits of the UUID',
  ERR_RKT_STAGE1_POD_RUNNING: "stop it first: 'rkt stop UUID'",
  ERR_RKT_STAGE1_NETWORK_NOT_FOUND: 'networks are configured in net.d of /etc/rkt',
  ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID: 'the format is that of CNI: a .conf is one plugin, a .conflist several',
  ERR_RKT_STAGE1_ADDRESS_UNAVAILABLE: "addresses of pods that have ended are given back by 'rkt gc'",
  ERR_RKT_STAGE1_PORT_IN_USE: 'choose another port of the host: --port=NAME:PORT or -p PORT:PORT',
  ERR_RKT_STAGE1_EXEC_NOT_FOUND: 'name another executable with --exec after the image',
  ERR_RKT_STAGE1_LOG_NOT_FOUND: "run it with 'rkt run --detach'",
  ERR_RKT_STAGE1_FLAVOR_UNABLE: 'another flavor may: leave out --flavor, --stage1-name and what stage1.d says',
  ERR_RKT_STAGE1_APP_UNSPECIFIED: 'name the app with --app',
  ERR_RKT_DOCKER2ACI_DISK_FULL: "free space, for instance with 'rkt gc' and 'rkt image gc'",
};

/** Where the hint of a code would be wrong after one command, that command's own. */
const OWN_HINTS: Readonly<Record<string, string>> = {
  'enter ERR_RKT_STAGE1_EXEC_NOT_FOUND': 'name another command that the image of the app has: rkt enter UUID CMD',
};

/** The hint for a code after a command; `origin` is that of the registry the error is about, where there is one. */
export function hintFor(code: string | undefined, command: string, origin?: string): string | undefined {
  const own = `${command} ${code}`;
  if (Object.hasOwn(OWN_HINTS, own)) return OWN_HINTS[own];
  const hint = code !== undefined && Object.hasOwn(HINTS, code) ? HINTS[code] : undefined;
  const host = origin === undefined || !URL.canParse(origin) ? 'HOST:PORT' : new URL(origin).host;
  return hint?.replace('certs.d/HOST,', `certs.d/${host},`);
}
