// SPDX-License-Identifier: Apache-2.0
import type { Pod, PodApp } from '@rkt/stage1';
import type { FlagValues } from '../args/flag.ts';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';

/**
 * The app that `--app` names, which need not be said of a pod with one app.
 * @throws {CliError} ERR_RKT_CLI_USAGE, ERR_RKT_CLI_POD_STATE
 */
export function chosenApp({ id, apps }: Pod, flags: FlagValues): PodApp {
  const name = flags.text('app');
  const names = apps.map((app) => app.name).join(', ');
  const [only, another] = apps;
  if (name === undefined && only !== undefined && another === undefined) return only;
  const named = apps.find((app) => app.name === name);
  if (named !== undefined) return named;
  const has = names === '' ? 'it has none' : `it has ${names}`;
  if (name !== undefined) throw new CliError('ERR_RKT_CLI_POD_STATE', `pod "${id}" has no app ${quote(name)}: ${has}`);
  if (only === undefined) throw new CliError('ERR_RKT_CLI_POD_STATE', `pod "${id}" has no app`);
  const message = `pod "${id}" contains multiple apps: ${names}`;
  throw new CliError('ERR_RKT_CLI_USAGE', message, { hint: 'name the app with --app' });
}
