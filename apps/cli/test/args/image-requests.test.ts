// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { misreadHint, readImageRequests, requireImages } from '../../src/args/image-requests.ts';
import { runFlags } from '../../src/args/run-flags.ts';
import { argumentsOf } from '../support/flags.ts';

function requests(...argv: readonly string[]) {
  return readImageRequests(argumentsOf('run', ...argv).parts, runFlags);
}

describe('images of a command line', () => {
  it('have the flags after them and the arguments between -- and ---', () => {
    const [first, second, ...more] = requests(
      ...['--net=host', 'one', '--exec', '/bin/sh', '--', '-c', '--exec=x', '---', 'two', '--user=5', '--', 'arg'],
    );
    expect(more).toEqual([]);
    expect([first?.image, first?.flags.text('exec'), first?.flags.text('user'), first?.appArguments]).toEqual([
      'one',
      '/bin/sh',
      undefined,
      ['-c', '--exec=x'],
    ]);
    expect([second?.image, second?.flags.text('exec'), second?.flags.text('user'), second?.appArguments]).toEqual([
      'two',
      undefined,
      '5',
      ['arg'],
    ]);
  });

  it('tell no arguments from an empty list of them', () => {
    expect(requests('one')[0]?.appArguments).toBeUndefined();
    expect(requests('one', '--')[0]?.appArguments).toEqual([]);
  });

  it('may have their flags before them when they are one', () => {
    const [only] = requests('--exec=/bin/sh', '--name=foo', 'one', '--name=bar');
    expect([only?.flags.text('exec'), only?.flags.text('name')]).toEqual(['/bin/sh', 'bar']);
  });

  it('all have the mounts that come before the first of them', () => {
    const images = requests('--mount=volume=v,target=/a', 'one', '--mount=volume=w,target=/b', '--', '---', 'two');
    expect(images.map(({ flags }) => flags.texts('mount'))).toEqual([
      ['volume=v,target=/a', 'volume=w,target=/b'],
      ['volume=v,target=/a'],
    ]);
  });

  it('have each the -e after it, and all the -e before the first', () => {
    const argv = ['-e', 'A=1', '--env=B=2', 'one', '-eC=3', '--set-env=D=4', '--', '-e', '---', 'two', '--env', 'E=5'];
    expect(requests(...argv).map(({ flags }) => flags.texts('environment'))).toEqual([['C=3'], ['E=5']]);
    expect(argumentsOf('run', ...argv).flags.texts('set-env')).toEqual(['D=4']);
    expect(argumentsOf('run', ...argv).flags.texts('env')).toEqual(['A=1', 'B=2']);
  });

  it.each([
    [['--exec=/bin/sh', 'one', 'two'], 'flag --exec must follow an image'],
    [['--entrypoint=/bin/sh', 'one', 'two'], 'flag --entrypoint must follow an image'],
    [['-u5', 'one', 'two'], 'flag -u must follow an image'],
    [['--', 'x'], 'an image is required before any app arguments'],
    [['one', '--', 'x', '---', '--', 'y'], 'only one set of app arguments allowed per image'],
    [['---', 'two'], 'bad flag syntax: --- without an image before it'],
    [['one', '---', '---', 'two'], 'bad flag syntax: --- without an image before it'],
  ])('%j are refused', (argv, message) => {
    expect(() => requests(...argv)).toThrow(message);
  });

  it('may be set apart by --- with arguments or without', () => {
    const apart = requests('one', '--exec=/a', '---', 'two', '--', 'x', '---', 'three');
    expect(apart.map(({ image, flags, appArguments }) => [image, flags.text('exec'), appArguments])).toEqual([
      ['one', '/a', undefined],
      ['two', undefined, ['x']],
      ['three', undefined, undefined],
    ]);
  });

  it('must be there', () => {
    expect(() => requireImages(requests('one'))).not.toThrow();
    expect(() => requireImages(requests())).toThrow('must provide at least one image or specify the pod manifest');
  });

  it.each([
    [['one', 'echo', 'hi'], 1, 'arguments of the app go after --: rkt run one -- echo hi'],
    [['one', 'two', 'echo'], 2, 'arguments of the app go after --: rkt run one two -- echo'],
    [['--net', 'none', 'one'], 0, 'join the value with =: --net=none'],
    [['--interactive', 'true', 'one'], 0, 'join the value with =: --interactive=true'],
    [['--net', 'none', 'one'], 1, 'arguments of the app go after --: rkt run none -- one'],
    [['one', '--', 'x', '---', 'two'], 1, undefined],
    [['one', 'two'], 0, undefined],
  ])('%j, of which number %i is none, were meant otherwise', (argv, index, hint) => {
    const { parts } = argumentsOf('run', ...argv);
    expect(misreadHint(readImageRequests(parts, runFlags), index, { command: 'run', parts })).toBe(hint);
  });
});
