// SPDX-License-Identifier: Apache-2.0
import type { FlagValues } from '../../args/flag.ts';
import { redactUrl } from '../../wiring/config/redact.ts';
import type { Io } from '../../wiring/io.ts';
import { oneLine } from '../quote.ts';
import { createBars } from './bars.ts';
import { hexOf, type Progress } from './progress.ts';

/** The form that `--progress` and `--quiet` ask for: bars on a terminal, a line per layer elsewhere, or one JSON object per event. */
export function createProgress(io: Io, flags: FlagValues): Progress {
  if (flags.boolean('quiet')) return silent;
  const form = flags.text('progress');
  if (form === 'json') return jsonLines(io);
  return form === 'auto' && io.stderr.isTTY && io.env['TERM'] !== 'dumb' ? createBars(io) : plainLines(io);
}

const silent: Progress = { onEvent: () => undefined, end: () => undefined };

/** Every event as it is, with the time, one per line. */
function jsonLines(io: Io): Progress {
  return {
    onEvent: (event) => {
      const shown = 'url' in event ? { ...event, url: redactUrl(event.url) } : event;
      io.stderr.write(`${JSON.stringify({ ...shown, time: new Date(io.now()).toISOString() })}\n`);
    },
    end: () => undefined,
  };
}

function plainLines(io: Io): Progress {
  return {
    onEvent: (event) => {
      if (event.type === 'measure:start') io.stderr.write(`Reading layer: ${hexOf(event.digest)}\n`);
      if (event.type === 'layer:start') io.stderr.write(`Downloading layer: ${hexOf(event.digest)}\n`);
      if (event.type === 'download:start') {
        io.stderr.write(`Downloading ${event.what}: ${oneLine(redactUrl(event.url))}\n`);
      }
      if (event.type === 'layer:wait') {
        io.stderr.write(`rkt: another rkt downloads layer ${hexOf(event.digest).slice(0, 12)}, waiting for it\n`);
      }
    },
    end: () => undefined,
  };
}
