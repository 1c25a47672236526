// SPDX-License-Identifier: Apache-2.0
import { chooseApp, type Pod, type PodApp, type PodId, type Runtime } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import type { FlagValues } from '../args/flag.ts';
import { CliError, usageError } from '../errors.ts';
import { readSmallFile } from '../files/read-small-file.ts';
import { quote } from '../render/quote.ts';
import { isPodGone } from './pod-gone.ts';

const MAX_FILE_BYTES = 4096;

/**
 * The pods that a command was given, as {@link resolvePod} takes them: as operands or in `--uuid-file`.
 * @throws {CliError} ERR_RKT_CLI_USAGE without any, ERR_RKT_CLI_FILE
 */
export function podArguments({ flags, operands }: Arguments): readonly string[] {
  const file = flags.text('uuid-file');
  if (file !== undefined && operands.length > 0) throw usageError('give either a pod UUID or --uuid-file');
  const ids = file === undefined ? operands : [readUuidFile(file)];
  if (ids.length === 0) throw usageError('must provide a pod UUID', "run 'rkt list' to see the pods");
  if (ids.includes('')) throw usageError('UUID cannot be empty');
  return ids;
}

function readUuidFile(path: string): string {
  return readSmallFile(path, MAX_FILE_BYTES, 'UUID file').toString().trim();
}

/** What was typed for a pod. */
export interface NamedPod {
  readonly id: PodId;
  /** The app whose name it was; undefined where it was a UUID. */
  readonly app: string | undefined;
}

type Stage = 'running' | 'waiting' | 'over';

/** Of pods that a name could mean, those that run are meant, then those that are to be run, then those that have ended. */
const RUNNING_FIRST: readonly Stage[] = ['running', 'waiting', 'over'];
/** The same for what is done with pods that are to be run. */
export const WAITING_FIRST: readonly Stage[] = ['waiting', 'running', 'over'];

/**
 * The pod that is meant by a UUID, a unique beginning of one, or the name of one of its apps. What begins a UUID is never
 * taken for a name: scripts that know UUIDs need not fear what apps are called.
 * @throws Stage1Error POD_NOT_FOUND, AMBIGUOUS_POD_ID
 * @throws {CliError} ERR_RKT_CLI_POD_NOT_FOUND, ERR_RKT_CLI_AMBIGUOUS_POD_NAME
 */
export async function resolvePod(
  runtime: Runtime,
  typed: string,
  order: readonly Stage[] = RUNNING_FIRST,
): Promise<NamedPod> {
  try {
    return { id: await runtime.resolve(typed), app: undefined };
  } catch (error) {
    if (!isPodGone(error) || UUID.test(typed)) throw error;
    return { id: byAppName(await runtime.list(), { typed, order, cause: error }), app: typed };
  }
}

/** As {@link resolvePod}, and what is known of the pod. */
export async function findPod(runtime: Runtime, typed: string, order?: readonly Stage[]): Promise<Pod> {
  return runtime.inspect((await resolvePod(runtime, typed, order)).id);
}

/** As {@link resolvePod}, for what is done to one app: that of `--app`, else the one whose name was typed for the pod. */
export async function resolveApp(runtime: Runtime, typed: string, flags: FlagValues): Promise<NamedPod> {
  const { id, app } = await resolvePod(runtime, typed);
  return { id, app: flags.text('app') ?? app };
}

/**
 * The app that is meant, as {@link resolveApp}, and its pod. The pod is the first operand.
 * @throws Stage1Error APP_UNSPECIFIED, APP_NOT_FOUND
 */
export async function findApp(
  runtime: Runtime,
  { flags, operands: [typed = ''] }: Arguments,
): Promise<{ readonly pod: Pod; readonly app: PodApp }> {
  const { id, app } = await resolveApp(runtime, typed, flags);
  const pod = await runtime.inspect(id);
  return { pod, app: chooseApp(pod, app) };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Sought {
  readonly typed: string;
  readonly order: readonly Stage[];
  readonly cause: unknown;
}

function byAppName(pods: readonly Pod[], { typed, order, cause }: Sought): PodId {
  const named = pods.filter(({ apps }) => apps.some(({ name }) => name === typed));
  const staged = order.map((stage) => named.filter(({ state }) => stageOf(state) === stage));
  const [first, ...others] = staged.find((some) => some.length > 0) ?? [];
  if (first === undefined) {
    const message = `no pod has an id that begins with ${quote(typed)}, nor an app of that name`;
    const known = [...new Set(pods.flatMap(({ apps }) => apps.map(({ name }) => name)))];
    throw new CliError('ERR_RKT_CLI_POD_NOT_FOUND', message, { cause, mistyped: { word: typed, known } });
  }
  if (others.length === 0) return first.id;
  const ids = [first, ...others].map(({ id, state }) => `${id} (${state})`).join(', ');
  throw new CliError('ERR_RKT_CLI_AMBIGUOUS_POD_NAME', `several pods have an app ${quote(typed)}: ${ids}`, { cause });
}

function stageOf(state: Pod['state']): Stage {
  if (state === 'running') return 'running';
  return state === 'embryo' || state === 'preparing' || state === 'prepared' ? 'waiting' : 'over';
}
