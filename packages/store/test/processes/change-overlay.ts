// SPDX-License-Identifier: Apache-2.0
//
// To be run in a mount namespace of its own: mounts an overlay as pods have it, changes everything there in every way, and
// prints what can be seen then.

import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { survey } from '../trees/support/survey.ts';

const [lower = '', scratch = ''] = process.argv.slice(2);
const merged = join(scratch, 'merged');

const CHANGES = `
echo new > new; echo more >> size-511; : > size-512; truncate -s 100 size-4096
chmod 4711 size-513; chown 7:8 size-0; rm size-1; mv size-4095 renamed
echo changed > a/third; ln second another-name; ln new new-again; rm a/null-again
rm -r closed; mkdir closed; echo again > closed/again; chown 5:6 closed; chmod 1777 closed
rm -r names; echo no directory > names
rm setuid; mkdir setuid; echo in > setuid/in
mkdir -p fresh/deep; mv fresh/deep fresh/moved; rm future; ln -s /etc/passwd future
ln -sfn elsewhere link; mkfifo made-fifo; mknod made-null c 1 3; mknod made-disk b 300 70001
rm null; rm disk; mkdir disk
truncate -s 3000000 made-sparse; printf x >> made-sparse
echo no whiteout > .wh.second; echo no mark > a/.wh..wh..opq
setfattr -n user.mine -v yes a/b; setfattr -x user.text capable; setfattr -n trusted.mine -v root new
setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 renamed
touch -d '1961-02-03 04:05:06.7 UTC' new-again; touch -d '2031-01-01 00:00:00.000000001 UTC' fresh
mkdir deep; cd deep; i=0; while [ $i -lt 20 ]; do mkdir d$i; cd d$i; i=$((i+1)); done; echo bottom > file
`;

execFileSync('mount', [
  ...['-t', 'overlay', 'overlay', '-o'],
  `lowerdir=${lower},upperdir=${scratch}/upper,workdir=${scratch}/work,index=off,metacopy=off,redirect_dir=nofollow`,
  merged,
]);
const inMerged: ExecFileSyncOptions = { cwd: merged, stdio: ['ignore', 'ignore', 'inherit'] };
execFileSync('sh', ['-euc', CHANGES], inMerged);
execFileSync('sh', ['-euc', `printf bytes > "$(printf 'a/\\377\\n ')x"`], inMerged);
// It stays when its process is killed, or ends at once.
const socket = createServer().listen(join(merged, 'size-0.socket'));
await new Promise((resolve) => socket.once('listening', resolve));
const seen = survey(merged);
process.stdout.write(
  JSON.stringify(seen, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
  () => process.exit(),
);
