// SPDX-License-Identifier: Apache-2.0
import { type IdRange, isLive, type Pod, type PodApp, type PodNetwork, type PodPort } from '@rkt/stage1';
import { storedNameOf } from '../images/appc-name.ts';
import { familiarName } from '../images/image-names.ts';
import { formatAgo, formatMoment } from '../render/time.ts';
import { appExit } from './app-exit.ts';
import { isExited } from './pod-states.ts';

/** The networks of a pod in one cell: `default:ip4=172.16.28.7, ...`. */
export function networksText(networks: readonly PodNetwork[]): string {
  return networks
    .map(({ netName, ip, ip6 }) => {
      const addresses = [...(ip === undefined ? [] : [`ip4=${ip}`]), ...(ip6 === undefined ? [] : [`ip6=${ip6}`])];
      return addresses.length === 0 ? netName : `${netName}:${addresses.join(',')}`;
    })
    .join(', ');
}

/** Whom of the host the users of a pod are, as the original told its stage1: the first of them, and how many. */
export function usersText({ first, count }: IdRange): string {
  return `${first}:${count}`;
}

/** A forwarded port: `49153->80/tcp`, before it the host's address if it is that of one alone. */
function portText({ hostIP, hostPort, podPort, protocol }: PodPort): string {
  const address = hostIP?.includes(':') ? `[${hostIP}]` : hostIP;
  return `${address === undefined ? '' : `${address}:`}${hostPort}->${podPort}/${protocol}`;
}

/** The name of the image of an app with its version, in full; undefined where nobody has said it. */
export function imageName(pod: Pod, app: PodApp): string | undefined {
  const image = pod.manifest?.apps.find(({ name }) => name === app.name)?.image;
  const name = app.imageName ?? image?.name;
  const version = image?.labels?.find((label) => label.name === 'version')?.value;
  return name === undefined ? undefined : storedNameOf(name, version);
}

/** The lines of `status`: `key=value`, apps in the order of the manifest. */
export function statusLines(pod: Pod): readonly string[] {
  const { state } = pod;
  const wasRun = isLive(pod) || isExited(pod) || state === 'deleting' || state === 'garbage';
  const lines = [`state=${state}`, `created=${formatMoment(pod.createdAt)}`];
  if (pod.startedAt !== undefined) lines.push(`started=${formatMoment(pod.startedAt)}`);
  const images = pod.apps.map((app) => `app-${app.name}-image=${shownImage(imageName(pod, app), true)}`);
  if (!wasRun) return [...lines, ...images];
  lines.push(`networks=${networksText(pod.networks)}`);
  if (pod.ports.length > 0) lines.push(`ports=${pod.ports.map(portText).join(', ')}`);
  if (pod.users !== undefined) lines.push(`private-users=${usersText(pod.users)}`);
  if (pod.pid !== undefined) lines.push(`pid=${pod.pid}`);
  lines.push(`exited=${!isLive(pod)}`);
  const exits = pod.apps.map((app) => ({ name: app.name, exit: appExit(pod, app) }));
  const starved = pod.apps.filter(({ outOfMemory }) => outOfMemory === true).map(({ name }) => `app-${name}-oom=true`);
  const known = exits.flatMap(({ name, exit }) => (exit === undefined ? [] : [`app-${name}=${exit}`]));
  const restarted = pod.apps.flatMap(({ name, restarts }) => (restarts ? [`app-${name}-restarts=${restarts}`] : []));
  const checked = pod.apps.flatMap(({ name, health }) => (health ? [`app-${name}-health=${health.status}`] : []));
  return [...lines, ...known, ...checked, ...starved, ...restarted, ...images];
}

/** The lines of `app status`. */
export function appStatusLines(pod: Pod, app: PodApp): readonly string[] {
  const { name, state, imageId, createdAt, startedAt, finishedAt } = app;
  const exit = appExit(pod, app);
  const moment = (key: string, time: number | undefined): readonly string[] => {
    return time === undefined ? [] : [`${key}=${formatMoment(time)}`];
  };
  return [
    ...[`name=${name}`, `state=${exit === undefined ? state : 'exited'}`, `image_id=${imageId}`],
    `image=${shownImage(imageName(pod, app), true)}`,
    ...[...moment('created_at', createdAt), ...moment('started_at', startedAt), ...moment('finished_at', finishedAt)],
    ...(exit === undefined ? [] : [`exit_code=${exit}`]),
    ...(app.outOfMemory ? ['oom=true'] : []),
    ...(app.restarts ? [`restarts=${app.restarts}`] : []),
    ...(app.health ? [`health=${app.health.status}`] : []),
  ];
}

/** The state of a pod, and the worst that is known of the health of its apps: `running (unhealthy)`. */
function stateText({ state, apps }: Pod): string {
  const known = new Set(apps.map(({ health }) => health?.status));
  const worst = (['unhealthy', 'starting', 'healthy'] as const).find((status) => known.has(status));
  return worst === undefined ? state : `${state} (${worst})`;
}

/** As `image list` has it. */
function shownImage(name: string | undefined, full: boolean): string {
  if (name === undefined) return '-';
  return full ? name : familiarName(name);
}

/** The rows of `list`: one per app, what concerns the pod in the first of them alone. */
export function listRows(
  pod: Pod,
  options: { readonly full: boolean; readonly now: number },
): readonly (readonly string[])[] {
  const { full, now } = options;
  const when = (time: number | undefined): string => {
    if (time === undefined) return '';
    return full ? formatMoment(time) : formatAgo(time, now);
  };
  const of = [stateText(pod), when(pod.createdAt), when(pod.startedAt), networksText(pod.networks)];
  const id = full ? pod.id : pod.id.slice(0, 8);
  if (pod.apps.length === 0) return [[id, '-', '-', ...(full ? ['-'] : []), ...of]];
  return pod.apps.map((app, index) => [
    index === 0 ? id : '',
    app.name,
    shownImage(imageName(pod, app), full),
    ...(full ? [app.imageId.slice(0, 19)] : []),
    ...of.map((cell) => (index === 0 ? cell : '')),
  ]);
}
