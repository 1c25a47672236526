// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from './command.ts';
import type { FlagSpec } from './flag.ts';
import { platformFlag } from './obtain-flags.ts';
import {
  compression,
  everything,
  format,
  full,
  grace,
  idsAlone,
  noLegend,
  overwrite,
  prettyPrint,
} from './output-flags.ts';
import { parseSize } from './size.ts';

const rootfsOnly: FlagSpec = {
  name: 'rootfs-only',
  kind: 'boolean',
  default: 'false',
  summary: 'write the root filesystem alone, as the directory itself',
};

const platform: FlagSpec = {
  ...platformFlag,
  summary: 'which image of a name that several platforms have one under, for example linux/arm64',
};

const defaultFields = ['id', 'name', 'size', 'importtime', 'lastused'];
const imageFields = [...defaultFields, 'platform'];

function checkFields(csv: string): void {
  const unknown = csv.split(',').find((field) => !imageFields.includes(field));
  if (unknown !== undefined) throw new Error(`unknown option "${unknown}"; known are ${imageFields.join(', ')}`);
}

/** `rkt image ...` */
export const imageCommands: readonly CommandSpec[] = [
  {
    name: 'image cat-manifest',
    summary: 'Inspect and print the image manifest',
    usage: 'IMAGE',
    flags: [prettyPrint, format, platform],
    operands: 'anywhere',
    minimum: [1, 'must provide an image'],
    maximum: 1,
  },
  {
    name: 'image export',
    summary: 'Export a stored image to a file or directory',
    usage: 'IMAGE OUTPUT',
    description: [
      'OUTPUT is FILE.aci, oci:DIRECTORY[:NAME], oci-archive:FILE[:NAME] or docker-archive:FILE[:NAME:TAG]; NAME is a tag or a',
      'whole name. Without it the image has the name that was typed. What fetch reads gets the ID it has now. The ID is the SHA-512 of the uncompressed ACI. With - for FILE, or alone for an ACI, it goes',
      'to standard output.',
    ].join('\n'),
    flags: [overwrite('output'), compression('none'), platform],
    operands: 'anywhere',
    minimum: [2, 'must provide an image and an output file'],
    maximum: 2,
  },
  {
    name: 'image extract',
    summary: 'Extract a stored image to a directory',
    usage: 'IMAGE OUTPUT_DIR',
    description: 'Writes the image manifest and, below rootfs, every file of the image. Nothing is mounted.',
    flags: [overwrite('directory'), rootfsOnly, platform],
    operands: 'anywhere',
    minimum: [2, 'must provide an image and an output directory'],
    maximum: 2,
  },
  {
    name: 'image gc',
    aliases: ['image prune'],
    summary: 'Garbage collect the local store',
    usage: '',
    description: [
      'Meant to be run periodically, by a timer or cron job. Images that no pod uses go when they were not used for the grace',
      'period. With --max-size more of them go, those used longest ago first, until layers and trees take no more than that.',
    ].join('\n'),
    flags: [
      grace('grace-period', '24h', 'images used within this time stay'),
      {
        name: 'max-size',
        kind: 'text',
        placeholder: 'SIZE',
        check: parseSize,
        summary: 'remove images until the store is no larger, for example 10GiB',
      },
      format,
    ],
    operands: 'anywhere',
    maximum: 0,
  },
  {
    name: 'image history',
    isNew: true,
    aliases: ['history'],
    summary: 'Show the layers of a stored image and what made them',
    usage: 'IMAGE',
    description: 'The newest comes first. Sizes are those of the uncompressed layers.',
    flags: [noLegend, full, format, platform],
    operands: 'anywhere',
    minimum: [1, 'must provide an image'],
    maximum: 1,
  },
  {
    name: 'image inspect',
    isNew: true,
    summary: 'Print what the store knows of images, as JSON',
    usage: 'IMAGE...',
    description: [
      'With --remote, what the registry of docker://NAME says: manifest and configuration, verified. No layer is fetched and',
      'nothing is stored; sizes are those of the blobs.',
    ].join('\n'),
    flags: [
      { name: 'remote', kind: 'boolean', default: 'false', summary: 'ask the registry instead of the store' },
      prettyPrint,
      format,
      platform,
    ],
    operands: 'anywhere',
    minimum: [1, 'must provide at least one image'],
  },
  {
    name: 'image list',
    aliases: ['images', 'image ls'],
    summary: 'List images in the local store',
    usage: '[NAME...]',
    description: [
      'A row for every name that leads to an image, or for those alone that are NAME, whatever their tag. Where an image is for',
      'another machine, there is a column for the platform, too.',
    ].join('\n'),
    flags: [
      {
        name: 'fields',
        kind: 'text',
        placeholder: 'LIST',
        default: defaultFields.join(','),
        check: checkFields,
        members: imageFields,
        summary: `columns to show: ${imageFields.join(', ')}`,
      },
      {
        name: 'sort',
        kind: 'text',
        placeholder: 'LIST',
        default: 'importtime',
        check: checkFields,
        members: imageFields,
        summary: 'fields to sort by',
      },
      { name: 'order', kind: 'text', default: 'asc', choices: ['asc', 'desc'], summary: 'asc or desc' },
      noLegend,
      full,
      idsAlone,
      everything,
      format,
    ],
    operands: 'anywhere',
  },
  {
    name: 'image render',
    summary: 'Render a stored image to a directory with all its dependencies',
    usage: 'IMAGE OUTPUT_DIR',
    description: 'The same as extract: an image of the store has everything its app will see.',
    flags: [overwrite('directory'), rootfsOnly, platform],
    operands: 'anywhere',
    minimum: [2, 'must provide an image and an output directory'],
    maximum: 2,
  },
  {
    name: 'image rm',
    aliases: ['rmi', 'image remove'],
    summary: 'Remove images from the local store',
    usage: '[IMAGE...]',
    flags: [
      { name: 'all', short: 'a', kind: 'boolean', default: 'false', summary: 'remove every image that no pod uses' },
      format,
      platform,
    ],
    operands: 'anywhere',
  },
  {
    name: 'image verify',
    summary: 'Verify images in the local store and repair their trees',
    usage: '[IMAGE...]',
    description: 'Derives everything from the stored layers again. Without an image, all are verified.',
    flags: [format, platform],
    operands: 'anywhere',
  },
];
