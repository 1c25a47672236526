// SPDX-License-Identifier: Apache-2.0
import type { RuntimeApp, Volume } from '@rkt/appc';
import type { Health, Pod, PodApp, PodPort } from '@rkt/stage1';
import { nanoseconds } from '../render/time.ts';
import { appExit } from './app-exit.ts';
import { imageName, usersText } from './pod-text.ts';

/**
 * A pod as `list` and `status` print it with `--format=json`: the fields and units of the original's v1.Pod, `ip6`, the
 * ports of one that runs, `private_users`, and of each app the name of its image, how often it was started again, whether it
 * ran out of memory, and its health.
 */
export function podJson(pod: Pod): object {
  return {
    name: pod.id,
    state: pod.state,
    ...(pod.networks.length === 0 ? {} : { networks: pod.networks }),
    ...(pod.ports.length === 0 ? {} : { ports: pod.ports.map(portJson) }),
    ...(pod.users === undefined ? {} : { private_users: usersText(pod.users) }),
    app_names: pod.apps.map(({ name }) => name),
    apps: podAppsJson(pod),
    created_at: seconds(pod.createdAt),
    ...(pod.startedAt === undefined ? {} : { started_at: seconds(pod.startedAt) }),
    ...optional('user_annotations', pod.manifest?.userAnnotations),
    ...optional('user_labels', pod.manifest?.userLabels),
  };
}

function portJson({ protocol, hostIP, hostPort, podPort }: PodPort): object {
  return { protocol, ...optional('host_ip', hostIP), host_port: hostPort, pod_port: podPort };
}

/** The apps of a pod, as {@link podJson} has them. */
export function podAppsJson(pod: Pod): readonly object[] {
  const runtimeApps = new Map(pod.manifest?.apps.map((app) => [app.name, app]));
  const volumes = pod.manifest?.volumes ?? [];
  return pod.apps.map((app) => appJson(pod, app, { runtime: runtimeApps.get(app.name), volumes }));
}

/** One app of a pod, as {@link podJson} has it. */
export function podAppJson(pod: Pod, app: PodApp): object {
  const [json = {}] = podAppsJson({ ...pod, apps: [app] });
  return json;
}

interface Planned {
  readonly runtime: RuntimeApp | undefined;
  readonly volumes: readonly Volume[];
}

function appJson(pod: Pod, app: PodApp, { runtime, volumes }: Planned): object {
  const exit = appExit(pod, app);
  const mounts = (runtime?.mounts ?? []).map(({ volume, path }) => {
    const source = volumes.find(({ name }) => name === volume);
    return {
      name: volume,
      container_path: path,
      host_path: source?.source ?? '',
      read_only: source?.readOnly ?? false,
    };
  });
  return {
    name: app.name,
    state: exit === undefined ? app.state : 'exited',
    ...time('created_at', app.createdAt),
    ...time('started_at', app.startedAt),
    ...time('finished_at', app.finishedAt),
    ...optional('exit_code', exit),
    ...(app.outOfMemory === true ? { oom_killed: true } : {}),
    ...optional('restarts', app.restarts),
    ...optional('health', app.health && healthJson(app.health)),
    image_id: app.imageId,
    ...optional('image_name', imageName(pod, app)),
    ...(mounts.length === 0 ? {} : { mounts }),
    ...optional('user_annotations', runtime?.app.userAnnotations),
    ...optional('user_labels', runtime?.app.userLabels),
  };
}

function healthJson({ status, failures, checkedAt, exitCode }: Health): object {
  return { status, failures, ...time('checked_at', checkedAt), ...optional('exit_code', exitCode) };
}

function time(name: string, value: number | undefined): object {
  return value === undefined ? {} : { [name]: nanoseconds(value) };
}

function optional(name: string, value: unknown): object {
  return value === undefined ? {} : { [name]: value };
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
