// SPDX-License-Identifier: Apache-2.0

const LOGIN = 'put credentials for the registry into auth.d of LOCAL_CONFIG or into ~/.docker/config.json';
const LIST_IMAGES = "run 'rkt image list' to see what the store has";
const LIST_PODS = "run 'rkt list' to see the pods";

/** What to do about an error, by its code. The libraries know what happened; only here is known which command helps. */
const HINTS: Readonly<Record<string, string>> = {
  ERR_RKT_CLI_UNKNOWN_COMMAND: "run 'rkt help' for usage",
  ERR_RKT_CLI_NOT_ROOT: 'run the command as root',
  ERR_RKT_CLI_POD_NOT_FOUND: LIST_PODS,
  ERR_RKT_CLI_AMBIGUOUS_POD_NAME: 'give the UUID of one, or a beginning of it',
  ERR_RKT_REGISTRY_UNAUTHORIZED: LOGIN,
  ERR_RKT_REGISTRY_DENIED: `check the spelling of the image; if it is private, ${LOGIN}`,
  ERR_RKT_REGISTRY_NOT_FOUND: 'check the spelling of the image and its tag',
  ERR_RKT_REGISTRY_RATE_LIMITED: `wait, or ${LOGIN}`,
  ERR_RKT_REGISTRY_UNREACHABLE: 'check the network, the proxy settings and the mirrors in registries.d of LOCAL_CONFIG',
  ERR_RKT_REGISTRY_TLS:
    "put the certificate of the registry's authority, as a *.crt file, into CERTS_DIRECTORY, or, if you trust the registry all the same, add --insecure-options=image,tls",
  ERR_RKT_REGISTRY_CERTIFICATES_INVALID:
    'in certs.d/HOST:PORT, *.crt are authorities and *.cert with *.key of the same name are what this client shows',
  ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM: 'the image is for no platform that rkt knows: look for another one',
  ERR_RKT_REGISTRY_FOREIGN_LAYER: 'if you trust whoever made the image, add --allow-foreign-layers',
  ERR_RKT_REGISTRY_INSECURE_REFUSED: 'if you trust the network, add --insecure-options=image,http',
  ERR_RKT_REGISTRY_CREDENTIAL_HELPER: 'make the credential helper work, or take it out of the file that names it',
  ERR_RKT_STORE_PERMISSION: 'run the command as root, or have the images in a directory of your own: --dir=PATH',
  ERR_RKT_STORE_IMAGE_NOT_FOUND: LIST_IMAGES,
  ERR_RKT_STORE_AMBIGUOUS_PREFIX: 'give more digits of the ID',
  ERR_RKT_STORE_PREFIX_TOO_SHORT: 'give at least two digits after sha512-',
  ERR_RKT_STORE_IMAGE_IN_USE: "remove the pods that use it first: 'rkt list', 'rkt rm POD'",
  ERR_RKT_STORE_DEPENDENCY_NOT_FOUND: 'fetch the image it depends on first',
  ERR_RKT_STORE_LAYER_MISSING: "run 'rkt image verify', then remove and fetch the image again",
  ERR_RKT_STORE_CORRUPT: "run 'rkt image verify'",
  ERR_RKT_STORE_NEWER_FORMAT: 'use the version of rkt that wrote the store, or another --dir',
  ERR_RKT_STORE_DISK_FULL: "free space, for instance with 'rkt gc' and 'rkt image gc'",
  ERR_RKT_STORE_NOT_A_STORE: 'choose the data directory with --dir',
  ERR_RKT_STAGE1_POD_NOT_FOUND: LIST_PODS,
  ERR_RKT_STAGE1_AMBIGUOUS_POD_ID: 'give more digits of the UUID',
  ERR_RKT_STAGE1_POD_RUNNING: "stop it first: 'rkt stop POD'",
  ERR_RKT_STAGE1_NETWORK_NOT_FOUND: 'networks are configured in net.d of LOCAL_CONFIG',
  ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID: 'the format is that of CNI: a .conf is one plugin, a .conflist several',
  ERR_RKT_STAGE1_ADDRESS_UNAVAILABLE: "addresses of pods that have ended are given back by 'rkt gc'",
  ERR_RKT_STAGE1_PORT_IN_USE: 'choose another port of the host: --port=NAME:PORT or -p PORT:PORT',
  ERR_RKT_STAGE1_EXEC_NOT_FOUND: 'name another executable with --exec after the image',
  ERR_RKT_STAGE1_USER_NAMESPACE_UNAVAILABLE:
    'check /proc/sys/user/max_user_namespaces, and entries for rkt in /etc/subuid and /etc/subgid; or leave out --private-users',
  ERR_RKT_STAGE1_LOG_NOT_FOUND: "run it with 'rkt run --detach'",
  ERR_RKT_STAGE1_FLAVOR_UNABLE: 'another flavor may: leave out --flavor, --stage1-name and what stage1.d says',
  ERR_RKT_STAGE1_APP_UNSPECIFIED: 'name the app with --app',
  ERR_RKT_DOCKER2ACI_DISK_FULL: "free space, for instance with 'rkt gc' and 'rkt image gc'",
};

/** What OpenSSL calls an answer that is none of TLS's. */
const NO_TLS: ReadonlySet<string> = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);
const PLAIN_HTTP =
  'it may speak plain HTTP: if you trust the network, add --insecure-options=image,http, or "insecure": true for it in registries.d';

/** Where the hint of a code would be wrong after one command, that command's own. */
const OWN_HINTS: Readonly<Record<string, string>> = {
  'fetch ERR_RKT_CLI_INTERRUPTED': 'layers that were complete are kept; the same command fetches the others',
  'enter ERR_RKT_STAGE1_EXEC_NOT_FOUND': 'name another command that the image of the app has: rkt enter POD CMD',
};

/** What is known of an error besides its code; every field only where it applies. */
export interface ErrorFacts {
  /** Of the registry that the error is about. */
  readonly origin?: string;
  /** What was asked for there. */
  readonly reference?: string;
  /** Where the credential comes from that was refused or not to be had. */
  readonly credentialSource?: string;
  /** The code of what led to it. */
  readonly causeCode?: string;
  /** Those that an image has. */
  readonly platforms?: readonly string[];
}

/** The hint for a code after a command. */
export function hintFor(code: string | undefined, command: string, facts: ErrorFacts = {}): string | undefined {
  const own = `${command} ${code}`;
  if (Object.hasOwn(OWN_HINTS, own)) return OWN_HINTS[own];
  if (code === undefined || !Object.hasOwn(HINTS, code)) return undefined;
  return specific(code, facts) ?? HINTS[code]?.replace('CERTS_DIRECTORY', certsDirectoryOf(facts));
}

/** The hint where the facts allow to say more, or forbid to say the usual. */
function specific(code: string, facts: ErrorFacts): string | undefined {
  const { reference = '', credentialSource, platforms = [] } = facts;
  switch (code) {
    case 'ERR_RKT_REGISTRY_UNAUTHORIZED':
    case 'ERR_RKT_REGISTRY_DENIED':
      if (credentialSource === undefined) return undefined;
      return `check the spelling of the image, and the credentials for ${hostOf(facts) ?? 'the registry'} from ${credentialSource}`;
    case 'ERR_RKT_REGISTRY_TLS':
      if (NO_TLS.has(facts.causeCode ?? '')) return PLAIN_HTTP;
      if (!/_ALERT_(BAD_CERTIFICATE|CERTIFICATE_REQUIRED)$/.test(facts.causeCode ?? '')) return undefined;
      return `put the certificate and the key of this client, as NAME.cert and NAME.key, into ${certsDirectoryOf(facts)}`;
    case 'ERR_RKT_REGISTRY_CREDENTIAL_HELPER':
      return credentialSource && `make the helper work, or take it out of ${credentialSource}`;
    case 'ERR_RKT_REGISTRY_NOT_FOUND':
      if (!reference.includes('@')) return undefined;
      return 'check the spelling of the image and its digest; if you gave a tag, a part of the image is missing there';
    case 'ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM':
      return platforms[0] && `choose one that there is, as --platform=${platforms[0]}`;
    default:
      return undefined;
  }
}

function certsDirectoryOf(facts: ErrorFacts): string {
  return `/etc/containers/certs.d/${hostOf(facts) ?? 'HOST:PORT'}`;
}

function hostOf({ origin }: ErrorFacts): string | undefined {
  return origin === undefined || !URL.canParse(origin) ? undefined : new URL(origin).host;
}
