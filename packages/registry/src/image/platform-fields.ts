// SPDX-License-Identifier: Apache-2.0
import type { Platform } from './image.ts';
import { asStrings, field, type JsonObject, optionalString } from './json.ts';

const MAX_FEATURES = 64;

/** The optional properties of a platform, as index entries and configurations both have them; empty ones are absent. */
export function readPlatformDetails(object: JsonObject, prefix: string): Omit<Platform, 'os' | 'architecture'> {
  const variant = optionalString(field(object, 'variant'), `${prefix}variant`);
  const osVersion = optionalString(field(object, 'os.version'), `${prefix}os.version`);
  const osFeatures = field(object, 'os.features');
  return {
    ...(variant === undefined || variant === '' ? {} : { variant }),
    ...(osVersion === undefined || osVersion === '' ? {} : { osVersion }),
    ...(osFeatures === undefined ? {} : { osFeatures: asStrings(osFeatures, `${prefix}os.features`, MAX_FEATURES) }),
  };
}
