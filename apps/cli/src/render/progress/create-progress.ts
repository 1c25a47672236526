// SPDX-License-Identifier: Apache-2.0
import type { FlagValues } from '../../args/flag.ts';
import { redactUrl } from '../../wiring/config/redact.ts';
import type { Io } from '../../wiring/io.ts';
import { oneLine } from '../quote.ts';
import { writeJsonLine } from './json-lines.ts';
import { createLiveProgress } from './live-progress.ts';
import { hexOf, type ImageEvent, type LayerSource, type Progress } from './progress.ts';

/** The form that `--progress` and `--quiet` ask for: live lines on a terminal, a line per layer elsewhere, JSON, nothing. */
export function createProgress(io: Io, flags: FlagValues): Progress {
  const form = flags.text('progress');
  if (form === 'json') return jsonLines(io);
  if (form === 'none' || flags.boolean('quiet')) return silent;
  const live = form === 'tty' || (form === 'auto' && io.stderr.isTTY && io.env['TERM'] !== 'dumb');
  return live ? createLiveProgress(io) : plainLines(io);
}

const silent: Progress = { onEvent: () => undefined, end: () => undefined };

/** Every event as it is; and that all bytes of a layer are there, which nobody should have to compute. */
function jsonLines(io: Io): Progress {
  return {
    onEvent: (event) => {
      writeJsonLine(io, 'url' in event ? { ...event, url: redactUrl(event.url) } : event);
      if (isAllThere(event)) writeJsonLine(io, { type: 'layer:verify', digest: event.digest });
    },
    end: () => undefined,
  };
}

function isAllThere(event: ImageEvent): event is ImageEvent & { readonly type: 'layer:bytes' } {
  return event.type === 'layer:bytes' && event.received >= event.size;
}

function plainLines(io: Io): Progress {
  let source: LayerSource = 'registry';
  return {
    onEvent: (event) => {
      if (event.type === 'image:start') source = event.source;
      if (event.type === 'measure:start') io.stderr.write(`Reading layer: ${hexOf(event.digest)}\n`);
      if (event.type === 'layer:start') {
        io.stderr.write(`${source === 'archive' ? 'Copying' : 'Downloading'} layer: ${hexOf(event.digest)}\n`);
      }
      if (event.type === 'download:start') {
        io.stderr.write(`Downloading ${event.what}: ${oneLine(redactUrl(event.url))}\n`);
      }
      if (event.type === 'layer:wait') {
        io.stderr.write(
          `rkt: another rkt downloads, or has left, layer ${hexOf(event.digest).slice(0, 12)}: waiting for it\n`,
        );
      }
    },
    end: () => undefined,
  };
}
