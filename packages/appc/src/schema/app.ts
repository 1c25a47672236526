// SPDX-License-Identifier: Apache-2.0
import { isAcIdentifier, isAcName } from './ac-name.ts';
import type { App, EventHandler, MountPoint, NameValue, Port } from './image-manifest.ts';
import { asIsolator } from './isolators.ts';
import {
  arrayOf,
  asAbsolutePath,
  asBoolean,
  asString,
  type FieldParser,
  integerIn,
  invalid,
  namedArrayOf,
  objectOf,
  oneOf,
  optional,
  stringMap,
  stringOf,
} from './json-fields.ts';

export const acNameField: FieldParser<string> = stringOf(isAcName, 'an AC Name');
export const acIdentifierField: FieldParser<string> = stringOf(isAcIdentifier, 'an AC Identifier');
const nonEmpty: FieldParser<string> = stringOf(
  (text) => text !== '' && !text.includes('\0'),
  'a string that is not empty',
);
const variableName: FieldParser<string> = stringOf(
  (text) => /^[^=\0]+$/.test(text),
  'the name of an environment variable',
);

/** Labels and annotations: no name twice. */
export const namedValues: FieldParser<readonly NameValue[]> = namedArrayOf(
  objectOf<NameValue>({ name: acIdentifierField, value: asString }),
);

/** Labels of an image; the image's own name is none of them. */
export function labels(value: unknown, path: string): readonly NameValue[] {
  const parsed = namedValues(value, path);
  if (parsed.some((label) => label.name === 'name')) throw invalid(path, 'without a label called name', value);
  return parsed;
}

const eventHandler: FieldParser<EventHandler> = objectOf<EventHandler>({
  name: oneOf(['pre-start', 'post-stop']),
  exec: arrayOf(asString),
});

const mountPoint: FieldParser<MountPoint> = objectOf<MountPoint>({
  name: acNameField,
  path: nonEmpty,
  readOnly: optional(asBoolean),
});

const portNumber: FieldParser<number> = integerIn(1, 65_535);
const plainPort: FieldParser<Port> = objectOf<Port>({
  name: acNameField,
  protocol: nonEmpty,
  port: portNumber,
  // docker2aci wrote 0 for one port; absent means one, too.
  count: (value, path) => (value === undefined || value === null || value === 0 ? 1 : portNumber(value, path)),
  socketActivated: (value, path) => (value === undefined || value === null ? false : asBoolean(value, path)),
});

export function asPort(value: unknown, path: string): Port {
  const port = plainPort(value, path);
  if (port.port + port.count - 1 > 65_535)
    throw invalid(`${path}.count`, 'a range that ends at 65535 or before', port.count);
  return port;
}

/** Duplicate variables pass: images have them, and the last one counts. */
const environment: FieldParser<readonly NameValue[]> = arrayOf(
  objectOf<NameValue>({ name: variableName, value: asString }),
);

/** The app section of a manifest. */
export const asApp: FieldParser<App> = objectOf<App>({
  exec: (value, path) => arrayOf(asString)(value ?? [], path),
  user: nonEmpty,
  group: nonEmpty,
  supplementaryGIDs: optional(arrayOf(integerIn(0, 0xffff_ffff))),
  eventHandlers: optional(namedArrayOf(eventHandler)),
  workingDirectory: optional((value, path) => (value === '' ? undefined : asAbsolutePath(value, path))),
  environment: optional(environment),
  mountPoints: optional(namedArrayOf(mountPoint)),
  ports: optional(namedArrayOf(asPort)),
  isolators: optional(arrayOf(asIsolator)),
  userAnnotations: optional(stringMap),
  userLabels: optional(stringMap),
});
