// SPDX-License-Identifier: Apache-2.0
import type { RuntimeContext } from '../context.ts';
import { eventually } from '../eventually.ts';
import { type PodLocation, records } from '../pod/index.ts';

/** Writing a status takes a monitor less than a millisecond, unless the machine is overloaded. */
const patienceMs = 2_000;

/** conmon gives up the lock it inherited an instant before it writes the status: it must not be killed between the two. */
export async function awaitStatus({ host }: RuntimeContext, { dir }: PodLocation, app: string): Promise<void> {
  const { processes } = host;
  const isAboutToBeWritten = (): boolean => {
    const record = records.readApp(dir, app);
    if (record?.streams === undefined || record.finishedAt !== undefined) return false;
    const { process, monitor } = record;
    return monitor !== undefined && processes.isAlive(monitor) && !(process && processes.isAlive(process));
  };
  await eventually(() => !isAboutToBeWritten(), patienceMs);
}
