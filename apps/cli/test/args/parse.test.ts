// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/args/commands.ts';
import { globalFlags } from '../../src/args/global-flags.ts';
import { type Invocation, locateCommand, readCommandLine } from '../../src/args/parse.ts';
import { commandModules } from '../../src/commands/command-modules.ts';
import type { CliError } from '../../src/errors.ts';
import { originalCommands } from '../original/commands.ts';

function parseCommandLine(argv: readonly string[]): Invocation {
  return readCommandLine(locateCommand(argv));
}

function refusal(...argv: readonly string[]): Pick<CliError, 'code' | 'message'> {
  try {
    parseCommandLine(argv);
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      return { code: error.code as CliError['code'], message: error.message };
    throw error;
  }
  throw new Error('was accepted');
}

describe('the command', () => {
  it.each([
    [['fetch', 'a'], 'fetch'],
    [['f', 'a'], 'fetch'],
    [['im', 'li'], 'image list'],
    [['image', 'rm', 'x'], 'image rm'],
    [['run', 'x'], 'run'],
    [['run-', 'x'], 'run-prepared'],
    [['pull', 'x'], 'fetch'],
    [['images'], 'image list'],
    [['image', 'ls'], 'image list'],
    [['rmi', 'x'], 'image rm'],
    [['history', 'x'], 'image history'],
    [['image', 'prune'], 'image gc'],
    [['exec', '-it', 'x', 'sh'], 'enter'],
    [['inspect', 'x'], 'inspect'],
    [['i', 'list'], 'image list'],
    [['ins', 'x'], 'inspect'],
    [['image', 'i', 'x'], 'image inspect'],
    [['l'], 'list'],
    [['app', 'exec', '-it', 'x', 'sh'], 'app exec'],
    [['--debug', '--dir', '/d', 'version'], 'version'],
  ])('of %j is %s', (argv, name) => {
    expect(parseCommandLine(argv).command?.name).toBe(name);
  });

  it('is undefined when there are only flags', () => {
    expect(parseCommandLine(['--debug']).command).toBeUndefined();
  });

  it.each([
    [['fetsh', 'x'], 'unknown command "fetsh" for "rkt"'],
    [['image', 'lost'], 'unknown command "lost" for "rkt image"'],
    [['r', 'x'], 'unknown command "r" for "rkt" (did you mean "rm" or "run" or "run-prepared"?)'],
    [['frobnicate'], 'unknown command "frobnicate" for "rkt"'],
    [['a\u001b[31m'], 'unknown command "a\\u001b[31m" for "rkt"'],
  ])('%j is refused', (argv, message) => {
    expect(refusal(...argv)).toEqual({ code: 'ERR_RKT_CLI_UNKNOWN_COMMAND', message });
  });

  it('has an implementation each, and no other', async () => {
    expect(Object.keys(commandModules).sort()).toEqual(commands.map(({ name }) => name).sort());
    for (const load of Object.values(commandModules)) expect((await load()).execute).toBeTypeOf('function');
  });

  it('has flags whose names are not those of another of its flags', () => {
    for (const { name, flags } of commands) {
      const words = [...flags, ...globalFlags].flatMap(({ name: own, short = [], aliases = [] }) =>
        [own, short, aliases].flat(),
      );
      expect(new Set(words).size, name).toBe(words.length);
    }
  });

  it('has other names that no command has, nor the beginning of one that rkt 1.30 had', () => {
    const names = commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    const aliases = commands.flatMap((command) => command.aliases ?? []).filter((alias) => !alias.includes(' '));
    const shortened = aliases.filter((alias) => Object.keys(originalCommands).some((name) => name.startsWith(alias)));
    expect(shortened).toEqual([]);
  });
});

describe('what was a unique beginning with rkt 1.30', () => {
  const heads = [...new Set(Object.keys(originalCommands).map((name) => name.split(' ')[0] ?? name))];
  const groups = ['app', 'image'].map((group) => {
    const names = Object.keys(originalCommands).filter((name) => name.startsWith(`${group} `));
    return [group, names.map((name) => name.slice(group.length + 1))] as const;
  });
  const known = new Set(commands.flatMap(({ name }) => [name, name.split(' ')[0] ?? name]));
  const uniqueOf = (names: readonly string[]) =>
    names.flatMap((name) =>
      Array.from(name, (_, at) => name.slice(0, at + 1))
        .filter((word) => word === name || names.filter((other) => other.startsWith(word)).length === 1)
        .map((word) => [word, name] as const),
    );

  it('is one of the same command', () => {
    const top = uniqueOf(heads).filter(([, name]) => known.has(name));
    const inGroups = groups.flatMap(([group, names]) =>
      uniqueOf(names).map(([word, name]) => [`${group} ${word}`, `${group} ${name}`] as const),
    );
    expect([top.length, inGroups.length].every((count) => count > 50)).toBe(true);
    for (const [word, name] of [...top, ...inGroups]) {
      const typed = groups.some(([group]) => group === name) ? `${word} list` : word;
      const meant = typed === word ? name : `${name} list`;
      expect(locateCommand(typed.split(' ')).command?.name, typed).toBe(meant);
    }
  });

  it('is so because every other command is known to be new', () => {
    const added = commands.filter(({ isNew }) => isNew === true).map(({ name }) => name);
    const missing = commands.map(({ name }) => name).filter((name) => !Object.hasOwn(originalCommands, name));
    expect(added).toEqual(missing);
  });
});

describe('flags', () => {
  it('may be spelled with = or with a following word, before or after operands', () => {
    for (const argv of [
      ['fetch', '--pull-policy=new', 'a', 'b'],
      ['fetch', 'a', '--pull-policy', 'new', 'b'],
      ['fetch', 'a', 'b', '--pull-policy=new'],
    ]) {
      const { args } = parseCommandLine(argv);
      expect([args.operands, args.flags.text('pull-policy')]).toEqual([['a', 'b'], 'new']);
    }
  });

  it('that are global are taken before and after the command; the last one wins', () => {
    const { globals } = parseCommandLine(['--dir=/a', 'list', '--dir', '/b', '--debug']);
    expect(globals).toMatchObject({ dir: '/b', debug: true });
  });

  it('that are boolean never take the next word', () => {
    const { args } = parseCommandLine(['fetch', '--full', 'true']);
    expect([args.flags.boolean('full'), args.operands]).toEqual([true, ['true']]);
    expect(parseCommandLine(['fetch', '--full=false', 'x']).args.flags.boolean('full')).toBe(false);
  });

  it('with a meaning of their own when bare take a value only with =', () => {
    expect(parseCommandLine(['run', '--net', 'image']).args.flags.texts('net')).toEqual(['default']);
    expect(parseCommandLine(['run', '--net=host', 'image']).args.flags.texts('net')).toEqual(['host']);
  });

  it('of one letter take their value in every spelling, and are refused by their name', () => {
    for (const words of [['-p', '1:2'], ['-p=1:2'], ['-p1:2'], ['--publish=1:2']]) {
      const { args } = parseCommandLine(['run', ...words, 'image']);
      expect([args.flags.texts('publish'), args.operands]).toEqual([['1:2'], ['image']]);
    }
    expect(refusal('run', '-p').message).toBe('flag needs an argument: --publish');
    expect(refusal('run', '-p', 'x', 'image').message).toContain(
      'invalid argument "x" for --publish=x: it must be [[HOSTIP:]',
    );
    expect(parseCommandLine(['run', 'image', '--', '-p', 'x']).args.flags.texts('publish')).toEqual([]);
  });

  it('of one letter may be joined, and the last of them take a value', () => {
    for (const words of [['-itdp80:8080'], ['-it', '-dp', '80:8080'], ['-i', '-t', '-d', '-p=80:8080']]) {
      const { flags, operands } = parseCommandLine(['run', ...words, 'image']).args;
      expect([flags.boolean('interactive'), flags.boolean('detach'), flags.texts('publish')], `${words}`).toEqual([
        true,
        true,
        ['80:8080'],
      ]);
      expect(operands).toEqual(['image']);
    }
    // What is behind -- is nobody's to take apart, nor is a value.
    expect(parseCommandLine(['run', 'image', '--', '-it']).args.parts.at(-1)).toEqual({
      kind: 'app-arguments',
      values: ['-it'],
    });
    expect(parseCommandLine(['run', '--exec', '-it', 'image']).args.flags.text('exec')).toBe('-it');
  });

  it('that docker has under another name are the same', () => {
    const line =
      '-it --rm -p 8080:80 -v /a:/b:ro --mount type=bind,src=/c,dst=/d -e A=B --env C=D --name web --network host --cpus 2 -m 64M -w /tmp -u 1:2 -l x=y --read-only --entrypoint sh -d image';
    const { flags } = parseCommandLine(['run', ...line.split(' ')]).args;
    expect(flags.texts('env')).toEqual(['A=B', 'C=D']);
    const [ro = '', rw = ''] = flags.texts('volume');
    expect([ro, rw]).toEqual([
      expect.stringMatching(/^volume-[0-9a-f-]{36},kind=host,source=\/a,readOnly=true$/),
      expect.stringMatching(/^volume-[0-9a-f-]{36},kind=host,source=\/c$/),
    ]);
    const mounted = [ro, rw].map((volume, index) => `volume=${volume.split(',')[0]},target=${['/b', '/d'][index]}`);
    expect(flags.texts('mount')).toEqual(mounted);
    expect(
      ['name', 'net', 'cpu', 'memory', 'working-dir', 'user', 'group', 'user-label', 'exec'].map(flags.text),
    ).toEqual(['web', 'host', '2', '64M', '/tmp', '1', '2', 'x=y', 'sh']);
    expect(['interactive', 'rm', 'readonly-rootfs', 'detach'].map(flags.boolean)).toEqual([true, true, true, true]);
  });

  it('of every command are read back from either spelling', () => {
    for (const { name, flags } of commands) {
      for (const flag of flags.filter(
        ({ kind, check, choices, expand }) => kind === 'text' && !check && !choices && !expand,
      )) {
        const words = [
          ...name.split(' '),
          ...(flag.scope === 'image' ? ['an-image'] : []),
          `--${flag.name}=v=1`,
          '--help',
        ];
        expect(parseCommandLine(words).args.flags.texts(flag.name), `${name} --${flag.name}`).toEqual(['v=1']);
      }
    }
  });

  it.each([
    [['run', '--hostnam=x', 'a'], 'ERR_RKT_CLI_UNKNOWN_FLAG', 'unknown flag: --hostnam'],
    [['run', '-x', 'a'], 'ERR_RKT_CLI_UNKNOWN_FLAG', 'unknown flag: -x'],
    [['list', '--tree-backen=x'], 'ERR_RKT_CLI_UNKNOWN_FLAG', 'unknown flag: --tree-backen'],
    [['fetch', '--pull-policy'], 'ERR_RKT_CLI_USAGE', 'flag needs an argument: --pull-policy'],
    [
      ['fetch', '--full=maybe', 'a'],
      'ERR_RKT_CLI_USAGE',
      'invalid argument "maybe" for --full=maybe: it must be true or false',
    ],
    [
      ['fetch', '--pull-policy=xyz', 'a'],
      'ERR_RKT_CLI_USAGE',
      'invalid argument "xyz" for --pull-policy=xyz: it must be one of "never", "new", "update"',
    ],
    [
      ['gc', '--grace-period=abc'],
      'ERR_RKT_CLI_USAGE',
      'invalid argument "abc" for --grace-period=abc: it must be a duration such as "30m" or "1h30m"',
    ],
    [
      ['run', '-e', 'FOO', 'a'],
      'ERR_RKT_CLI_USAGE',
      'invalid argument "FOO" for --env=FOO: it must be specified as key=value: FOO="$FOO" for the value it has here',
    ],
    [
      ['run', 'a', '-e', 'FOO'],
      'ERR_RKT_CLI_USAGE',
      'invalid argument "FOO" for --env=FOO: it must be specified as key=value: FOO="$FOO" for the value it has here',
    ],
    [
      ['run', '--set-env=FOO', 'a'],
      'ERR_RKT_CLI_USAGE',
      'invalid argument "FOO" for --set-env=FOO: it must be specified as key=value',
    ],
    [
      ['run', '--mount=type=tmpfs,target=/b', 'x'],
      'ERR_RKT_CLI_USAGE',
      'invalid argument "type=tmpfs,target=/b" for --mount=type=tmpfs,target=/b: write --volume=NAME,kind=empty --mount=volume=NAME,target=/b',
    ],
    [
      ['enter', '--interactive=f', 'x'],
      'ERR_RKT_CLI_USAGE',
      'invalid argument "f" for --interactive=f: it is so in any case',
    ],
    [['list', '--all=false'], 'ERR_RKT_CLI_USAGE', 'invalid argument "false" for --all=false: it is so in any case'],
    [['list', '-aqx'], 'ERR_RKT_CLI_UNKNOWN_FLAG', 'unknown flag: -x'],
    [['-q', 'list'], 'ERR_RKT_CLI_UNKNOWN_FLAG', 'unknown flag: -q'],
    [['fetch'], 'ERR_RKT_CLI_USAGE', 'must provide at least one image'],
    [['image', 'export', 'x'], 'ERR_RKT_CLI_USAGE', 'must provide an image and an output file'],
    [['version', 'x'], 'ERR_RKT_CLI_USAGE', 'takes no arguments'],
    [['--debug', '--version'], 'ERR_RKT_CLI_UNKNOWN_FLAG', 'unknown flag: --version'],
    [
      ['image'],
      'ERR_RKT_CLI_USAGE',
      'image needs a command: cat-manifest, export, extract, gc, history, inspect, list, render, rm, verify',
    ],
  ])('%j are refused', (argv, code, message) => {
    expect(refusal(...argv)).toEqual({ code, message });
  });

  it('that ask for help do so whatever else is missing', () => {
    expect(parseCommandLine(['fetch', '--help']).wantsHelp).toBe(true);
    expect(parseCommandLine(['image', 'export', '-h']).wantsHelp).toBe(true);
  });
});

describe('words that belong to somebody else', () => {
  it('are everything after the pod of enter', () => {
    expect(parseCommandLine(['enter', '--app=a', 'uuid', 'ls', '-l', '--', '--app=b']).args.operands).toEqual([
      'uuid',
      'ls',
      '-l',
      '--',
      '--app=b',
    ]);
  });

  it('are those after -- where there are no images', () => {
    expect(parseCommandLine(['image', 'rm', '--', '--weird']).args.operands).toEqual(['--weird']);
  });
});

describe('--insecure-options', () => {
  it.each([
    ['none', []],
    ['image', ['image']],
    ['image,http', ['http', 'image']],
    ['all-fetch', ['http', 'image', 'pubkey', 'tls']],
    ['all-run', ['capabilities', 'paths', 'seccomp']],
    ['all', ['capabilities', 'http', 'image', 'ondisk', 'paths', 'pubkey', 'seccomp', 'tls']],
  ])('=%s', (value, meaning) => {
    expect([...parseCommandLine([`--insecure-options=${value}`, 'list']).globals.insecure].sort()).toEqual(meaning);
  });

  it.each(['foo', '', 'image,', 'toString'])('=%j is refused', (value) => {
    expect(refusal(`--insecure-options=${value}`, 'list').message).toContain('unknown option');
  });
});
