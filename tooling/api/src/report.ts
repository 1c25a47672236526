// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Extractor, ExtractorConfig, type IConfigFile } from '@microsoft/api-extractor';
import type { ApiEntry } from './entries.ts';

/**
 * The public API of one entry as its report has it. Throws with API Extractor's complaints when the declarations are
 * missing, as before `tsc -b`, or make no sense to it.
 */
export function apiReport({ packageDir, declarations, report }: ApiEntry): string {
  const folder = mkdtempSync(join(tmpdir(), 'rkt-api-'));
  const complaints: string[] = [];
  try {
    const config = ExtractorConfig.prepare({
      configObject: configFor({ packageDir, declarations, report }, folder),
      configObjectFullPath: undefined,
      packageJsonFullPath: join(packageDir, 'package.json'),
    });
    const { succeeded } = Extractor.invoke(config, {
      localBuild: true,
      messageCallback: (message) => {
        message.handled = true;
        if (message.messageId === 'console-api-report-created') return;
        if (message.logLevel === 'error' || message.logLevel === 'warning') complaints.push(message.text);
      },
    });
    if (!succeeded || complaints.length > 0) throw new Error(`${declarations}: ${complaints.join('\n')}`);
    return readFileSync(join(folder, report), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where the committed report of an entry is. */
export function reportFile({ packageDir, report }: ApiEntry): string {
  return join(packageDir, 'etc', report);
}

/** Whether the committed report says what the entry offers now. */
export function isCurrent(entry: ApiEntry): boolean {
  const file = reportFile(entry);
  return existsSync(file) && readFileSync(file, 'utf8') === apiReport(entry);
}

export function writeReport(entry: ApiEntry): void {
  mkdirSync(join(entry.packageDir, 'etc'), { recursive: true });
  writeFileSync(reportFile(entry), apiReport(entry));
}

function configFor({ packageDir, declarations, report }: ApiEntry, folder: string): IConfigFile {
  return {
    projectFolder: packageDir,
    mainEntryPointFilePath: declarations,
    newlineKind: 'lf',
    apiReport: { enabled: true, reportFileName: report, reportFolder: folder, reportTempFolder: join(folder, 'new') },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      extractorMessageReporting: {
        // A type that is used and not exported stands in the report, for the eyes of whoever reviews it.
        'ae-forgotten-export': { logLevel: 'warning' as never, addToApiReportFile: true },
        // Visibility has one mark here: what an entry exports is public.
        'ae-missing-release-tag': { logLevel: 'none' as never },
      },
    },
    compiler: { overrideTsconfig: { compilerOptions, files: [declarations] } },
  };
}

const compilerOptions = {
  module: 'node20',
  target: 'es2024',
  lib: ['ES2024', 'ESNext.Disposable', 'ESNext.Promise'],
  types: ['node'],
  strict: true,
  skipLibCheck: true,
};
