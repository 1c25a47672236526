// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  directory,
  type Entry,
  file,
  type LayerSource,
  symlink,
  whiteout,
  writeLayout,
  writeTar,
} from '@rkt/tooling-images';

/** Writes an image of everything that makes layers hard, as an OCI layout with the tag `latest`. Needs root. */
export async function writeHardImage(layout: string, scratch: string): Promise<void> {
  const layers: LayerSource[] = [
    { tar: packed(join(scratch, 'base'), makeEverything), comment: 'everything a file can be' },
    { tar: await writeTar(changes()), comment: 'what layers do to each other' },
    { tar: await writeTar(afterwards()), comment: 'and again', compression: 'none' },
    { tar: packed(join(scratch, 'top'), makeTop), comment: 'directories stated again' },
  ];
  writeLayout(layout, { layers, config: { Cmd: ['/bin/sh'] } });
}

/** A directory as GNU tar packs it, with all it can keep. */
function packed(source: string, make: (shell: Shell) => void): Buffer {
  mkdirSync(source, { recursive: true });
  make((script) => void execFileSync('sh', ['-euc', script], { cwd: source, stdio: ['ignore', 'ignore', 'inherit'] }));
  const tar = `${source}.tar`;
  const options = ['--format=posix', '--numeric-owner', '--xattrs', '--xattrs-include=*', '--sparse'];
  execFileSync('tar', ['--create', `--file=${tar}`, ...options, `--directory=${source}`, '.'], { stdio: 'ignore' });
  return readFileSync(tar);
}

type Shell = (script: string) => void;

const LONG = 'n'.repeat(255);

function makeEverything(shell: Shell): void {
  shell(`
    mkdir -p kinds attributes names/${LONG} many sparse emptied/in whited/in opaque/in replaced/in kept
    echo content > kinds/file; : > kinds/empty; ln -s ../kinds/file kinds/symlink; ln -s /nowhere kinds/dangling
    mkfifo kinds/fifo; mknod kinds/null c 1 3; mknod kinds/disk b 8 1; mknod kinds/far c 511 100000
    echo one > kinds/first; ln kinds/first kinds/second; ln kinds/first attributes/third
    mknod kinds/linked-null c 1 5; ln kinds/linked-null kinds/zero; ln -P kinds/symlink kinds/linked-symlink
    for mode in 4755 2755 1777 0 7777 444; do echo $mode > attributes/mode-$mode; chmod $mode attributes/mode-$mode; done
    chmod 1777 attributes; chown 1000:1001 attributes/mode-444; echo big > attributes/owner; chown 4000000000:3000000 attributes/owner
    chown 7:8 attributes/mode-4755; chmod 4755 attributes/mode-4755; chown -h 9:10 kinds/symlink
    touch -d '1969-12-31T23:59:58.5Z' attributes/before; touch -d '2100-01-02T03:04:05.123456789Z' attributes/after
    touch -h -d '2001-02-03T04:05:06.7Z' kinds/symlink; touch -d '2002-02-03T04:05:06Z' kinds/fifo
    echo x > attributes/user; setfattr -n user.note -v value attributes/user; setfattr -n user.empty attributes/user
    echo x > attributes/capable
    setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 attributes/capable
    mkdir attributes/acl; setfattr -n user.dir -v 1 attributes/acl
    setfattr -n trusted.note -v 0x000102ff attributes/acl
    echo long > names/${LONG}/${LONG}; ln -s ${'t'.repeat(3000)} names/far
    echo bytes > "names/$(printf 'caf\\351')"; echo newline > "names/$(printf 'a\\nb')"; echo blank > 'names/ a '
    i=0; while [ $i -lt 1500 ]; do echo $i > many/$i; i=$((i+1)); done
    truncate -s 10M sparse/hole; echo end >> sparse/hole; truncate -s 3M sparse/all
    head -c 300000 /dev/zero | tr '\\0' x > sparse/plain
    for d in emptied whited opaque replaced; do echo $d > $d/in/file; echo $d > $d/beside; done
    echo kept > kept/file; chmod 710 kept; echo target > linked; chmod 640 linked; echo gone > unlinked
    mkdir -p order/in; echo old > order/stated; echo old > order/in/old; echo aside > order/aside
    mknod kinds/whiteout c 0 0; mkdir attributes/overlay; setfattr -n trusted.overlay.opaque -v y attributes/overlay
    touch -d '2003-01-01T00:00:00Z' kept opaque many .
  `);
}

/** The second layer: whiteouts, opaque directories and links to what is below, before and after what they touch. */
function changes(): readonly Entry[] {
  return [
    whiteout('whited'),
    whiteout('kinds/dangling'),
    whiteout('nothing-there'),
    link('hard', 'linked'),
    link('harder', 'hard'),
    link('rescued', 'unlinked'),
    whiteout('unlinked'),
    file('opaque/new', 'new\n'),
    file('opaque/.wh..wh..opq', ''),
    directory('replaced', { mode: 0o700 }),
    whiteout('replaced/in'),
    file('replaced/in', 'a file now\n'),
    file('implied/by/a/file', 'deep\n'),
    whiteout('emptied/in'),
    whiteout('emptied/beside'),
    symlink('many-link', 'many'),
    // What the spec leaves to no order: whiteouts hide what is below, never what their own layer states.
    file('order/stated', 'new\n'),
    whiteout('order/stated'),
    file('order/in/new', 'new\n'),
    whiteout('order/in'),
    file('order/aside', 'replaced\n'),
    link('order/link-to-aside', 'order/aside'),
    file('.wh..wh.plnk/1.2', 'of AUFS'),
    file('twice', 'first\n'),
    file('twice', 'second\n', 0o600),
  ];
}

/** The third: what the second did is done to. */
function afterwards(): readonly Entry[] {
  return [
    directory('whited', { uid: 5 }),
    file('whited/again', 'again\n'),
    whiteout('hard'),
    file('implied', 'a file in place of a directory\n'),
    whiteout('opaque/new'),
    file('opaque/newer', 'newer\n'),
    directory('kept', { mode: 0o755, gid: 3 }),
    file('many/7', 'seven\n'),
    directory('kinds/symlink', { mode: 0o711 }),
  ];
}

function makeTop(shell: Shell): void {
  shell(`
    mkdir -p opaque kept/deeper; chmod 3771 opaque; chown 11:12 opaque; echo deeper > kept/deeper/file
    setfattr -n user.top -v 1 opaque; touch -d '2010-10-10T10:10:10.101010101Z' opaque .; chmod 751 .
  `);
}

function link(name: string, linkname: string): Entry {
  const { header } = symlink(name, linkname);
  return { header: { ...header, type: 'link' }, body: undefined };
}
