// SPDX-License-Identifier: Apache-2.0
import type { Component } from './components.ts';

export interface Bom {
  /** Version of rkt. */
  readonly version: string;
  readonly arch: string;
  /** Hex SHA-256 of the executable. */
  readonly sha256: string;
  /** Packages with something in the executable, Node's among them. */
  readonly components: readonly Component[];
  /** Node's `process.versions`. */
  readonly nodeVersions: Readonly<Record<string, string>>;
}

/** Numbers of interfaces, and Node itself, which is a component. */
const noLibraries = new Set(['node', 'modules', 'napi', 'unicode', 'cldr', 'tz']);

/**
 * A bill of materials of the executable: CycloneDX 1.6. Without time and serial number: the same build has the same one.
 */
export function sbom({ version, arch, sha256, components, nodeVersions }: Bom): string {
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': `rkt-linux-${arch}`,
        name: `rkt-linux-${arch}`,
        version,
        hashes: [{ alg: 'SHA-256', content: sha256 }],
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components: components.map((component) => ({
      ...describe(component),
      ...(component.name === `node-linux-${arch}` ? { components: librariesOf(nodeVersions) } : {}),
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function describe({ name, version, license }: Component): object {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const licenses = /^[\w.-]+$/.test(license) ? [{ license: { id: license } }] : [{ expression: license }];
  return { type: 'library', 'bom-ref': purl, name, version, purl, licenses };
}

/** What Node is linked with; it leaves the version of what it is built without empty. */
function librariesOf(versions: Readonly<Record<string, string>>): readonly object[] {
  return Object.entries(versions)
    .filter(([name, version]) => version !== '' && !noLibraries.has(name))
    .map(([name, version]) => ({ type: 'library', 'bom-ref': `node/${name}@${version}`, name, version }));
}
