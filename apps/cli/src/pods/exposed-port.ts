// SPDX-License-Identifier: Apache-2.0
import type { ExposedPort, Port, RuntimeApp } from '@rkt/appc';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { type PortRequest, parsePortFlag, portOfName } from './port-flag.ts';
import { parsePublishFlag } from './publish-flag.ts';

/** Checks a `--port`, in either form: a protocol after `/` tells docker's. Throws an Error for what is none. */
export function checkPortFlag(text: string): void {
  if (isDockerForm(text)) parsePublishFlag(text);
  else parsePortFlag(text);
}

/**
 * What a `--port` forwards, given in either form.
 * @throws {CliError} ERR_RKT_CLI_POD_INVALID
 */
export function portOf(text: string, apps: readonly RuntimeApp[]): ExposedPort {
  return isDockerForm(text) ? parsePublishFlag(text) : exposedPort(parsePortFlag(text), apps);
}

/** Neither a name nor an address of rkt's form has a slash; `80:8080` alone would mean one thing here and another there. */
function isDockerForm(text: string): boolean {
  return text.includes('/');
}

/**
 * The port a `--port` forwards to. One the image declares goes by its name, or by its number (with or without protocol)
 * if no other has that number; any other by a name that says number and protocol.
 * @throws {CliError} ERR_RKT_CLI_POD_INVALID
 */
function exposedPort(request: PortRequest, apps: readonly RuntimeApp[]): ExposedPort {
  const declared = apps.flatMap(({ app }) => app.ports ?? []);
  if (declared.some(({ name }) => name === request.name)) return request;
  const [only, another] = withNumber(declared, request.name);
  if (only !== undefined && another === undefined) return { ...request, name: only.name };
  const spelled = portOfName(request.name);
  if (spelled === undefined) throw unknownPort(request, declared);
  return { ...request, podPort: { name: request.name, ...spelled, count: 1, socketActivated: false } };
}

/** Declared ports that `6379` or `6379-tcp` may mean. */
function withNumber(declared: readonly Port[], name: string): readonly Port[] {
  const spelled = portOfName(name);
  if (spelled === undefined) return declared.filter(({ port }) => String(port) === name);
  return declared.filter(({ port, protocol }) => port === spelled.port && protocol === spelled.protocol);
}

function unknownPort(request: PortRequest, declared: readonly Port[]): CliError {
  const names = declared.map(({ name }) => name).join(', ');
  const known = names === '' ? 'the image declares none' : `declared are ${quote(names, { marks: false })}`;
  const message = `port name ${quote(request.name)} could not be found in any apps: ${known}`;
  const hint = `the order is --port=NAME:HOSTPORT; ${meant(request, declared)}`;
  return new CliError('ERR_RKT_CLI_POD_INVALID', message, { hint });
}

/** Whoever is used to docker writes the port of the host first. */
function meant({ name, hostPort }: PortRequest, declared: readonly Port[]): string {
  if (!/^\d{1,5}$/.test(name)) return 'any port can be given as NUMBER-tcp or NUMBER-udp, as in --port=6379-tcp:6379';
  const [swapped] = declared.filter(({ port }) => port === hostPort);
  const [numbered] = declared.filter(({ port }) => String(port) === name);
  if (numbered !== undefined) return `did you mean --port=${numbered.name}:${hostPort}?`;
  if (swapped !== undefined) return `did you mean --port=${swapped.name}:${name}?`;
  return `did you mean -p ${name}:${hostPort}? Or --port=${name}-tcp:${hostPort}, for port ${name} of the pod?`;
}
