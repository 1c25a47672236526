// SPDX-License-Identifier: Apache-2.0
import { quote } from '../render/quote.ts';
import type { FlagSpec, FlagValues } from './flag.ts';

/** Security features that can be switched off, one by one or in groups. */
export type InsecureOption = 'image' | 'tls' | 'ondisk' | 'http' | 'pubkey' | 'capabilities' | 'paths' | 'seccomp';

const FETCHING: readonly InsecureOption[] = ['image', 'tls', 'http', 'pubkey'];
const RUNNING: readonly InsecureOption[] = ['capabilities', 'paths', 'seccomp'];
const MEANINGS: Readonly<Record<string, readonly InsecureOption[]>> = {
  none: [],
  image: ['image'],
  tls: ['tls'],
  ondisk: ['ondisk'],
  http: ['http'],
  pubkey: ['pubkey'],
  capabilities: ['capabilities'],
  paths: ['paths'],
  seccomp: ['seccomp'],
  'all-fetch': FETCHING,
  'all-run': RUNNING,
  all: [...FETCHING, ...RUNNING, 'ondisk'],
};

/** What `--insecure-options` switches off. Throws an Error for a name that is none. */
export function parseInsecureOptions(csv: string): ReadonlySet<InsecureOption> {
  const options = new Set<InsecureOption>();
  for (const name of csv.split(',')) {
    const meaning = Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined;
    if (meaning === undefined) {
      throw new Error(`unknown option ${quote(name)}; known are ${Object.keys(MEANINGS).join(', ')}`);
    }
    for (const option of meaning) options.add(option);
  }
  return options;
}

export const globalFlags: readonly FlagSpec[] = [
  { name: 'debug', kind: 'boolean', default: 'false', summary: 'print what rkt does and how an error came about' },
  {
    name: 'dir',
    kind: 'text',
    placeholder: 'PATH',
    check: requirePath,
    summary: 'data directory (default: /var/lib/rkt)',
  },
  {
    name: 'insecure-options',
    kind: 'text',
    placeholder: 'LIST',
    default: 'none',
    check: parseInsecureOptions,
    members: Object.keys(MEANINGS),
    summary: `comma-separated list of security features to disable: ${Object.keys(MEANINGS).join(', ')}`,
  },
  { name: 'local-config', kind: 'text', placeholder: 'PATH', default: '/etc/rkt', summary: 'local configuration' },
  {
    name: 'system-config',
    kind: 'text',
    placeholder: 'PATH',
    default: '/usr/lib/rkt',
    summary: 'system configuration',
  },
  {
    name: 'trust-keys-from-https',
    kind: 'boolean',
    default: 'false',
    summary: 'trust keys that are discovered and fetched over https without asking',
  },
  { name: 'user-config', kind: 'text', placeholder: 'PATH', summary: 'user configuration' },
  {
    name: 'tree-backend',
    kind: 'text',
    default: 'auto',
    choices: ['auto', 'erofs', 'directory'],
    hidden: true,
    summary: 'how root filesystems are rendered',
  },
  { name: 'help', kind: 'boolean', default: 'false', summary: 'show help' },
];

export function requirePath(text: string): void {
  if (text === '') throw new Error('it must be a path');
}

/** The global flags, read. */
export interface Globals {
  readonly debug: boolean;
  /** Undefined: as the configuration says. */
  readonly dir: string | undefined;
  readonly insecure: ReadonlySet<InsecureOption>;
  /** Configuration directories in the order in which later ones override. */
  readonly configDirs: readonly string[];
  /** Those of them that the command line names: who names one expects it to be there. */
  readonly namedConfigDirs: readonly string[];
  /** Where whoever runs rkt would put configuration, for hints. */
  readonly localConfig: string;
  /** The directories of configuration that trusted keys are in; empty: none. */
  readonly keyDirs: { readonly system: string; readonly local: string };
  /** Keys that come over HTTPS need nobody to look at them. */
  readonly trustHttpsKeys: boolean;
  readonly treeBackend: 'auto' | 'erofs' | 'directory';
}

/** Reads the global flags from a command line's values. */
export function readGlobals(flags: FlagValues): Globals {
  const backend = flags.text('tree-backend');
  const dirFlags = ['system-config', 'local-config', 'user-config'];
  const dirsOf = (names: readonly string[]): readonly string[] => names.flatMap((name) => flags.text(name) || []);
  return {
    debug: flags.boolean('debug'),
    dir: flags.text('dir'),
    insecure: parseInsecureOptions(flags.text('insecure-options') ?? 'none'),
    configDirs: dirsOf(dirFlags),
    namedConfigDirs: dirsOf(dirFlags.filter((name) => flags.given(name))),
    localConfig: flags.text('local-config') || dirsOf(dirFlags).at(-1) || 'a directory for --local-config',
    keyDirs: { system: flags.text('system-config') ?? '', local: flags.text('local-config') ?? '' },
    trustHttpsKeys: flags.boolean('trust-keys-from-https'),
    treeBackend: backend === 'erofs' || backend === 'directory' ? backend : 'auto',
  };
}
