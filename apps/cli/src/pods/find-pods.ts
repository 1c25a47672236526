// SPDX-License-Identifier: Apache-2.0
import { chooseApp, isLive, isPodId, type Pod, type PodApp, type PodId, type Runtime } from '@rkt/stage1';
import type { Arguments } from '../args/command.ts';
import type { FlagValues } from '../args/flag.ts';
import { CliError, usageError } from '../errors.ts';
import { readSmallFile } from '../files/read-small-file.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
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
  /** The app whose name it was; undefined where it was a UUID alone. */
  readonly app: string | undefined;
  /** Of a pod that was found by the name of an app, when it was found. */
  readonly state?: Pod['state'];
}

type Stage = 'running' | 'waiting' | 'over';

/** Which of the pods that a name could mean are meant: the first of these groups that has any. More than one is too many. */
type Preference = readonly (readonly Stage[])[];

/** Those that run, then those that are to be run, then those that have ended. */
const RUNNING_FIRST: Preference = [['running'], ['waiting'], ['over']];
/** For what is done with pods that are to be run. */
export const WAITING_FIRST: Preference = [['waiting'], ['running'], ['over']];
/** For what is done with pods that run no more. */
export const ENDED_FIRST: Preference = [['over'], ['waiting'], ['running']];
/** For what cannot be undone and is done to pods of any state: the name must be that of one. */
export const NONE_FIRST: Preference = [['running', 'waiting', 'over']];

/**
 * The pod that is meant by a UUID, a unique beginning of one, or the name of one of its apps. A whole UUID is never taken for a
 * name. The beginning of the UUID of one pod that is also the name of an app of another means neither.
 * @throws Stage1Error POD_NOT_FOUND, AMBIGUOUS_POD_ID
 * @throws {CliError} ERR_RKT_CLI_POD_NOT_FOUND, ERR_RKT_CLI_AMBIGUOUS_POD_NAME
 */
export async function resolvePod(
  runtime: Runtime,
  typed: string,
  prefer: Preference = RUNNING_FIRST,
): Promise<NamedPod> {
  let id: PodId;
  try {
    id = await runtime.resolve(typed);
  } catch (error) {
    if (!isPodGone(error) || isPodId(typed)) throw error;
    const pod = byAppName(await runtime.list(), { typed, prefer, cause: error });
    return { id: pod.id, app: typed, state: pod.state };
  }
  if (isPodId(typed)) return { id, app: undefined };
  const named = (await runtime.list()).filter((pod) => hasApp(pod, typed));
  const others = named.filter((pod) => pod.id !== id);
  if (others.length > 0) {
    const message = `${quote(typed)} begins the UUID of pod ${id} and is the name of an app of ${listed(others)}`;
    throw new CliError('ERR_RKT_CLI_AMBIGUOUS_POD_NAME', message);
  }
  return { id, app: named.length > 0 ? typed : undefined };
}

/** As {@link resolvePod}, and what is known of the pod. */
export async function findPod(runtime: Runtime, typed: string, prefer?: Preference): Promise<Pod> {
  return runtime.inspect((await resolvePod(runtime, typed, prefer)).id);
}

/** As {@link resolvePod}, for what is done to one app: that of `--app`, else the one whose name was typed for the pod. */
export async function resolveApp(runtime: Runtime, typed: string, flags: FlagValues): Promise<NamedPod> {
  const pod = await resolvePod(runtime, typed);
  return { ...pod, app: flags.text('app') ?? pod.app };
}

/** Says which pod a name was taken for, where that runs no more, or not yet: another may have been meant. */
export function sayWhichPod(session: Session, { id, state }: NamedPod): void {
  if (state !== undefined && !isLive({ state })) session.say(`it is pod "${id}" (${state})`);
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

interface Sought {
  readonly typed: string;
  readonly prefer: Preference;
  readonly cause: unknown;
}

function byAppName(pods: readonly Pod[], { typed, prefer, cause }: Sought): Pod {
  const named = pods.filter((pod) => hasApp(pod, typed));
  const groups = prefer.map((stages) => named.filter((pod) => stages.includes(stageOf(pod))));
  const [first, ...others] = groups.find((some) => some.length > 0) ?? [];
  if (first === undefined) {
    const message = `no pod has an id that begins with ${quote(typed)}, nor an app of that name`;
    const known = [...new Set(pods.flatMap(({ apps }) => apps.map(({ name }) => name)))];
    throw new CliError('ERR_RKT_CLI_POD_NOT_FOUND', message, { cause, mistyped: { word: typed, known } });
  }
  if (others.length === 0) return first;
  const message = `several pods have an app ${quote(typed)}, the newest last: ${listed([first, ...others])}`;
  throw new CliError('ERR_RKT_CLI_AMBIGUOUS_POD_NAME', message, { cause });
}

function hasApp({ apps }: Pod, typed: string): boolean {
  return apps.some(({ name }) => name === typed);
}

/** The newest last, as `rkt list` has them. */
function listed(pods: readonly Pod[]): string {
  const sorted = [...pods].sort((a, b) => a.createdAt - b.createdAt);
  return sorted.map(({ id, state }) => `${id} (${state})`).join(', ');
}

function stageOf(pod: Pod): Stage {
  if (isLive(pod)) return 'running';
  const { state } = pod;
  return state === 'embryo' || state === 'preparing' || state === 'prepared' ? 'waiting' : 'over';
}
