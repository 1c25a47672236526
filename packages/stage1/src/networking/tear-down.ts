// SPDX-License-Identifier: Apache-2.0
import { type AttachTarget, detach } from './attach.ts';
import { summariseResult } from './cni-result.ts';
import { checkPodId } from './container-id.ts';
import { masquerades } from './network-config.ts';
import type { NetworkContext } from './networking.ts';
import { type SweptTable, sweep } from './sweep.ts';
import type { Attachment, NetworkResult, TeardownOptions } from './types.ts';

/** See {@link Networking.teardown}. */
export async function tearDown(context: NetworkContext, options: TeardownOptions): Promise<void> {
  const { podId, signal } = options;
  signal?.throwIfAborted();
  checkPodId(podId);
  const recorded = await context.record.read(podId);
  const attachments = merged(recorded ?? [], options.saved);
  const thorough = options.thorough === true || recorded === undefined;
  const target: AttachTarget = { podId, netns: options.netnsPath ?? '', signal };
  const failures: unknown[] = [];
  const attempt = (work: Promise<void>): Promise<unknown> => work.catch((error: unknown) => failures.push(error));
  for (const attachment of attachments.toReversed()) await attempt(detach(context.plugins, attachment, target));
  await attempt(sweep(context.run, podId, { tables: thorough ? everyTable : tablesOf(attachments), signal }));
  if (thorough && failures.length === 0) await attempt(context.reservations.release(podId));
  if (failures.length > 0) throw failures[0];
  await context.record.remove(podId);
}

/** What the caller kept knows the results; the record knows of interfaces the caller never heard of. */
function merged(recorded: readonly Attachment[], saved: readonly NetworkResult[]): readonly Attachment[] {
  const byInterface = new Map(recorded.map((attachment) => [attachment.ifName, attachment]));
  for (const { attachment } of saved) byInterface.set(attachment.ifName, attachment);
  return [...byInterface.values()];
}

const families = ['iptables', 'ip6tables'] as const;
const everyTable: readonly SweptTable[] = families.flatMap((family) => [
  { family, table: 'nat' },
  { family, table: 'filter' },
]);

/** The tables that may hold rules of these interfaces. */
function tablesOf(attachments: readonly Attachment[]): readonly SweptTable[] {
  const natting = attachments.filter(({ network, ports }) => masquerades(network) || ports.length > 0);
  const opening = attachments.filter(({ opensForwarding }) => opensForwarding);
  return everyTable.filter(({ family, table }) =>
    (table === 'nat' ? natting : opening).some(({ result }) => {
      // Without a result there is no telling how far the ADD came.
      return result === undefined || summariseResult(result)[family === 'iptables' ? 'ip' : 'ip6'] !== undefined;
    }),
  );
}
