// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { sandboxSpec } from '../../src/pods/sandbox-spec.ts';
import { confining } from '../support/fake-runtime.ts';
import { argumentsOf } from '../support/flags.ts';

function spec(...flags: readonly string[]) {
  return sandboxSpec(argumentsOf('run', ...flags, 'x').flags, {
    flavor: { name: undefined, traits: confining },
    insecure: new Set(),
  });
}

describe('what surrounds a pod', () => {
  it('is the default network and nothing insecure when nothing is said', () => {
    expect(spec()).toEqual({
      networks: [{ name: 'default' }],
      insecure: { capabilities: false, paths: false, seccomp: false },
    });
  });

  it('has flavor and protections from elsewhere', () => {
    const surroundings = {
      flavor: { name: 'oci', traits: confining },
      insecure: new Set(['seccomp', 'image'] as const),
    };
    expect(sandboxSpec(argumentsOf('run', 'x').flags, surroundings)).toMatchObject({
      flavor: 'oci',
      insecure: { capabilities: false, paths: false, seccomp: true },
    });
  });

  it.each([
    [[], undefined],
    [['--pid=app'], undefined],
    [['--pid=pod'], 'pod'],
    [['--pid', 'pod'], 'pod'],
  ])('%j is a PID namespace %s', (flags, pid) => {
    expect(spec(...flags).pid).toBe(pid);
  });

  it.each([
    ['host', 'it must be app or pod; programs that are to see the processes of the host run with --flavor=fly'],
    ['container:web', 'it must be app or pod; apps that are to see each other are apps of one pod: IMAGE1 --- IMAGE2'],
    ['', 'it must be one of "app", "pod"'],
  ])('refuses --pid=%s, and says what to do instead', (value, reason) => {
    expect(() => spec(`--pid=${value}`)).toThrow(reason);
  });

  it('is the host’s network where the flavor has no other', () => {
    const flavor = { name: 'fly', traits: { ...confining, namespaces: [] } };
    const surroundings = { flavor, insecure: new Set<never>() };
    expect(sandboxSpec(argumentsOf('run', 'x').flags, surroundings).networks).toEqual([{ name: 'host' }]);
    expect(sandboxSpec(argumentsOf('run', '--net=none', 'x').flags, surroundings).networks).toEqual([{ name: 'none' }]);
  });

  it.each([
    [['--net'], [{ name: 'default' }]],
    [['--net=host'], [{ name: 'host' }]],
    [['--net=a:IP=1.2.3.4;X=y,b'], [{ name: 'a', args: 'IP=1.2.3.4;X=y' }, { name: 'b' }]],
    [['--net=a:IP=1.2.3.4,X=y:z,b'], [{ name: 'a', args: 'IP=1.2.3.4;X=y:z' }, { name: 'b' }]],
    [['--net=a,b:IP=fd00::9,MAC=0a:0b'], [{ name: 'a' }, { name: 'b', args: 'IP=fd00::9;MAC=0a:0b' }]],
    [['--net=all'], [{ name: 'all' }]],
    [
      ['--net=a', '--net=b'],
      [{ name: 'a' }, { name: 'b' }],
    ],
  ])('%j has networks', (flags, networks) => {
    expect(spec(...flags).networks).toEqual(networks);
  });

  it('has names and addresses from the flags', () => {
    expect(
      spec(
        '--hostname=db-1',
        '--dns=1.1.1.1,::1',
        '--dns-search=a.example',
        '--dns-opt=ndots:2',
        '--dns-domain=b.example',
      ),
    ).toMatchObject({
      hostname: 'db-1',
      dns: { nameservers: ['1.1.1.1', '::1'], search: ['a.example'], options: ['ndots:2'], domain: 'b.example' },
    });
    expect(spec('--dns=none').dns).toEqual({ mode: 'none' });
    expect(spec('--hosts-entry=10.0.0.1=a', '--hosts-entry=10.0.0.1=b,::2=c').hostsEntries).toEqual([
      { ip: '10.0.0.1', names: ['a', 'b'] },
      { ip: '::2', names: ['c'] },
    ]);
    expect(spec('--hosts-entry=host').hostsEntries).toBe('host');
  });

  it.each([
    [['--net=none', '--port=a:1'], "--port flag does not work with 'none' networking"],
    [['--net=host', '--port=a:1'], "--port flag does not work with 'host' networking"],
    [['--net=none', '-p', '80:80'], "--publish flag does not work with 'none' networking"],
    [['--net=a,,b'], 'a network has no name'],
    [['--net=a,IP=1.2.3.4'], 'arguments of a network follow its name: NETWORK:NAME=VALUE'],
    [['--net=a:1.2.3.4'], 'arguments must be NAME=VALUE'],
    [['--net=a:'], 'arguments must be NAME=VALUE'],
    [['--net=all:IP=1.2.3.4'], 'network "all" takes no arguments'],
    [['--dns=none', '--dns-search=a'], '--dns-search has no effect with --dns=none'],
    [['--dns=1.1.1.1', '--dns=none'], '--dns=none excludes every other name server'],
    [['--net=a,a'], 'network "a" is given twice'],
    [['--hostname=-a'], 'invalid argument "-a" for --hostname'],
    [['--hostname=a\nb'], 'for --hostname'],
    [['--dns=example.com'], 'it must be an IP address'],
    [['--dns=host,1.1.1.1'], '--dns=host excludes every other name server'],
    [['--dns-search=a\nnameserver 6.6.6.6'], 'cannot stand in resolv.conf'],
    [['--hosts-entry=x=y'], 'it must be IP=HOST'],
    [['--hosts-entry=1.2.3.4=a b'], 'it must be IP=HOST'],
    [['--hosts-entry=host,1.2.3.4=a'], 'excludes every other entry'],
  ])('%j is refused', (flags, message) => {
    expect(() => spec(...flags)).toThrow(message);
  });
});
