// SPDX-License-Identifier: Apache-2.0
import type { Arguments } from '../args/command.ts';
import type { Session } from '../wiring/session.ts';

/** The implementation of a command. Resolves to the exit status. */
export interface CommandModule {
  readonly execute: (session: Session, args: Arguments) => Promise<number>;
}

/** Every command's implementation by the command's name, loaded when it is used. */
export const commandModules: Readonly<Record<string, () => Promise<CommandModule>>> = {
  'app add': () => import('./app-add.ts'),
  'app exec': () => import('./enter.ts'),
  'app list': () => import('./app-list.ts'),
  'app rm': () => import('./app-rm.ts'),
  'app sandbox': () => import('./app-sandbox.ts'),
  'app start': () => import('./app-start.ts'),
  'app status': () => import('./app-status.ts'),
  'app stop': () => import('./app-stop.ts'),
  attach: () => import('./attach.ts'),
  'cat-manifest': () => import('./cat-manifest.ts'),
  completion: () => import('./completion.ts'),
  config: () => import('./config.ts'),
  enter: () => import('./enter.ts'),
  export: () => import('./export.ts'),
  fetch: () => import('./fetch.ts'),
  gc: () => import('./gc.ts'),
  health: () => import('./health.ts'),
  help: () => import('./help.ts'),
  'image cat-manifest': () => import('./image-cat-manifest.ts'),
  'image export': () => import('./image-export.ts'),
  'image extract': () => import('./image-extract.ts'),
  'image gc': () => import('./image-gc.ts'),
  'image history': () => import('./image-history.ts'),
  'image inspect': () => import('./image-inspect.ts'),
  'image list': () => import('./image-list.ts'),
  'image render': () => import('./image-extract.ts'),
  'image rm': () => import('./image-rm.ts'),
  'image verify': () => import('./image-verify.ts'),
  inspect: () => import('./inspect.ts'),
  kill: () => import('./kill.ts'),
  list: () => import('./list.ts'),
  logs: () => import('./logs.ts'),
  prepare: () => import('./prepare.ts'),
  ps: () => import('./list.ts'),
  release: () => import('./release.ts'),
  rm: () => import('./rm.ts'),
  run: () => import('./run.ts'),
  'run-prepared': () => import('./run-prepared.ts'),
  status: () => import('./status.ts'),
  stop: () => import('./stop.ts'),
  trust: () => import('./trust.ts'),
  version: () => import('./version.ts'),
  wait: () => import('./wait.ts'),
};
