// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../render/quote.ts';
import type { AuthCredential, BasicCredential, ConfigFile } from './config.ts';
import { array, type Fields, nonEmpty, object, optional, refuseUnknown, string } from './fields.ts';
import { redactUrl } from './redact.ts';
import { registryDomain } from './registry-domain.ts';

const CREDENTIALS = 'credentials';

/** `auth`: how servers of ACIs are told who asks. Throws an Error that says which field is wrong. */
export function parseAuth(fields: Fields): ConfigFile {
  const domains = domainsOf(fields, 'domains', webDomain);
  return { kind: 'auth', domains, credential: authCredential(fields) };
}

/** `dockerAuth`: user and password for Docker registries. Throws an Error that says which field is wrong. */
export function parseDockerAuth(fields: Fields): ConfigFile {
  const registries = domainsOf(fields, 'registries', registryDomain);
  return { kind: 'dockerAuth', registries, credential: basicCredential(credentialsOf(fields)) };
}

function authCredential(fields: Fields): AuthCredential {
  const type = string(fields, 'type');
  const credentials = credentialsOf(fields);
  switch (type) {
    case 'basic':
      return { type, ...basicCredential(credentials) };
    case 'oauth':
      refuseUnknown(credentials, ['token'], CREDENTIALS);
      return { type, token: secret(credentials, 'token') };
    case 'aws':
      refuseUnknown(credentials, ['accessKeyID', 'secretAccessKey', 'awsRegion'], CREDENTIALS);
      return {
        type,
        accessKeyID: secret(credentials, 'accessKeyID'),
        secretAccessKey: secret(credentials, 'secretAccessKey'),
        awsRegion: optional(credentials, 'awsRegion', CREDENTIALS),
      };
    default:
      throw new Error(`type must be basic, oauth or aws, got ${quote(type)}`);
  }
}

function credentialsOf(fields: Fields): Fields {
  return object(fields[CREDENTIALS], CREDENTIALS);
}

function basicCredential(credentials: Fields): BasicCredential {
  refuseUnknown(credentials, ['user', 'password'], CREDENTIALS);
  const user = secret(credentials, 'user');
  // RFC 7617, section 2: everything after the first colon would be taken for the password.
  if (user.includes(':')) throw new Error(`${CREDENTIALS}.user must not contain a colon`);
  return { user, password: secret(credentials, 'password') };
}

/** RFC 7617, section 2, and header fields allow no control characters; a newline at the end is the likely one. */
function secret(credentials: Fields, name: string): string {
  const value = nonEmpty(credentials, name, CREDENTIALS);
  if (/\p{Cc}/u.test(value)) throw new Error(`${CREDENTIALS}.${name} must not contain control characters`);
  return value;
}

function domainsOf(fields: Fields, name: string, read: (value: unknown, what: string) => string): readonly string[] {
  const values = array(fields, name).map((value, index) => read(value, `${name}[${index}]`));
  if (values.length === 0) throw new Error(`${name} must name at least one`);
  return values;
}

function webDomain(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} must be a string`);
  if (/^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$/.test(value) && URL.canParse(`https://${value}`)) return value;
  throw new Error(`${what} must be host[:port], got ${quote(redactUrl(value))}`);
}
