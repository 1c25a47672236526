// SPDX-License-Identifier: Apache-2.0
import { defaultFlavors, type RuntimeContext, requireFlavor } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import type { PodReview, SandboxSpec } from '../runtime.ts';
import type { Flavor } from './flavor.ts';

/** @throws Stage1Error ERR_RKT_STAGE1_FLAVOR_NOT_FOUND */
export function flavorNamed(context: RuntimeContext, name: string | undefined): Flavor {
  if (name !== undefined) return requireFlavor(context, name);
  const [first] = defaultFlavors(context);
  if (first !== undefined) return first;
  throw new Stage1Error('ERR_RKT_STAGE1_FLAVOR_NOT_FOUND', 'no flavor runs a pod that names none');
}

/**
 * In order of preference, those that a pod can have: the one it names, or those that take its kind of users and of processes. At least
 * one.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_FLAVOR_NOT_FOUND, ERR_RKT_STAGE1_FLAVOR_UNABLE
 */
export function suitedFlavors(
  context: RuntimeContext,
  { flavor, privateUsers, pid }: SandboxSpec,
): readonly [Flavor, ...Flavor[]] {
  const candidates = flavor === undefined ? defaultFlavors(context) : [requireFlavor(context, flavor)];
  const hasUsers = candidates.filter(({ traits }) => !privateUsers || traits.userNamespaces);
  const [first, ...others] = hasUsers.filter(({ traits }) => pid !== 'pod' || traits.pidNamespaces === true);
  if (first !== undefined) return [first, ...others];
  if (candidates.length === 0) return [flavorNamed(context, flavor)];
  const names = candidates.map(({ name }) => name).join(', ');
  const what = hasUsers.length === 0 ? 'private users' : 'a PID namespace for all its apps';
  const message = `a pod with ${what} needs another flavor than ${names}`;
  throw new Stage1Error('ERR_RKT_STAGE1_FLAVOR_UNABLE', message);
}

/** The review of a pod by the flavor it names, or that it is to have without a name. */
export function review(context: RuntimeContext, pod: PodReview): readonly string[] {
  return reviewPod(suitedFlavors(context, pod.sandbox)[0], pod);
}

/**
 * What a flavor leaves out of what a pod asks for.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_FLAVOR_UNABLE
 */
export function reviewPod(flavor: Flavor, { manifest, sandbox, mutable = false }: PodReview): readonly string[] {
  const { name, traits } = flavor;
  const unable = (what: string): Stage1Error =>
    new Stage1Error('ERR_RKT_STAGE1_FLAVOR_UNABLE', `flavor ${name} ${what}`);
  if (traits.apps === 'one' && mutable) throw unable('runs one app, which must be there when the pod is prepared');
  if (traits.apps === 'one' && manifest.apps.length > 1) {
    throw unable(`runs one app in a pod, got ${manifest.apps.length}: run each in a pod of its own`);
  }
  if (!traits.namespaces.includes('net')) {
    const other = sandbox.networks.find((network) => network.name !== 'host');
    if (other !== undefined) {
      throw unable(`has no network but the host's, got ${quote(other.name)}: leave --net out or say --net=host`);
    }
    if ((manifest.ports ?? []).length > 0) {
      throw unable("forwards no ports: an app has the host's network, and its ports are the host's");
    }
  }
  const notices =
    sandbox.hostname !== undefined && !traits.namespaces.includes('uts')
      ? [`flavor ${name} leaves the host its name: host name ${quote(sandbox.hostname)} is ignored`]
      : [];
  return [...notices, ...(flavor.review?.(manifest, sandbox) ?? [])];
}
