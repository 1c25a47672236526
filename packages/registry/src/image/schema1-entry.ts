// SPDX-License-Identifier: Apache-2.0
import {
  asObject,
  asString,
  asStrings,
  FieldError,
  field,
  isShallow,
  type JsonObject,
  optionalString,
  parseObject,
  readWithin,
} from './json.ts';

/** What a step of a build left: a `v1Compatibility` of a schema 1 manifest. Docker image spec v1, "Image JSON". */
export interface Schema1Entry {
  /** 64 hex digits, as `parent`. */
  readonly id: string;
  readonly parent: string | undefined;
  /** The step changed no file: its blob is empty and no layer of the image. */
  readonly throwaway: boolean;
  /** As in the history of an image configuration. */
  readonly created: string | undefined;
  readonly createdBy: string | undefined;
  readonly author: string | undefined;
  readonly comment: string | undefined;
  /** All of it; nested no deeper than can be written again. */
  readonly document: JsonObject;
}

const MAX_CHARACTERS = 1 << 20;
const MAX_DEPTH = 32;
const MAX_ARGUMENTS = 8192;

/** Reads the document in a `v1Compatibility`, which stands at `path`. @throws FieldError */
export function readSchema1Entry(text: string, path: string): Schema1Entry {
  if (text.length > MAX_CHARACTERS) throw new FieldError(`${path} has more than ${MAX_CHARACTERS} characters`);
  return readWithin(path, () => {
    const document = parseObject(text);
    if (!isShallow(document, MAX_DEPTH)) throw new FieldError(`it is nested deeper than ${MAX_DEPTH} levels`);
    const throwaway = field(document, 'throwaway') ?? false;
    if (typeof throwaway !== 'boolean') throw new FieldError('throwaway: expected a boolean');
    return {
      id: asId(field(document, 'id'), 'id'),
      parent: readParent(document),
      throwaway,
      created: textOf(document, 'created'),
      createdBy: readCommand(document),
      author: textOf(document, 'author'),
      comment: textOf(document, 'comment'),
      document,
    };
  });
}

function readParent(document: JsonObject): string | undefined {
  const parent = textOf(document, 'parent');
  return parent === undefined ? undefined : asId(parent, 'parent');
}

/** What the step ran. */
function readCommand(document: JsonObject): string | undefined {
  const container = field(document, 'container_config');
  if (container === undefined) return undefined;
  const command = field(asObject(container, 'container_config'), 'Cmd');
  if (command === undefined) return undefined;
  const path = 'container_config.Cmd';
  return typeof command === 'string' ? command : asStrings(command, path, MAX_ARGUMENTS).join(' ');
}

/** Go writes an empty string for what is not there. */
function textOf(document: JsonObject, name: string): string | undefined {
  return optionalString(field(document, name), name) || undefined;
}

function asId(value: unknown, path: string): string {
  const id = asString(value, path);
  if (!/^[0-9a-f]{64}$/.test(id)) throw new FieldError(`${path}: expected 64 hex digits`);
  return id;
}
