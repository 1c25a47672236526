// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec } from './args/command.ts';
import { lastWordOf } from './args/command.ts';
import { locateCommand, readCommandLine } from './args/parse.ts';
import { type CommandModule, commandModules } from './commands/command-modules.ts';
import { completionKey } from './completion/completion-key.ts';
import { CliError, errnoOf, isCliError, reasonOf } from './errors.ts';
import { failureStatus, missingCommandStatus, signalStatus } from './exit-status.ts';
import { explained } from './render/explained.ts';
import { createMessages, type MessageForm, messageForm } from './render/messages.ts';
import { quote } from './render/quote.ts';
import { installedLibraries } from './wiring/installed-libraries.ts';
import { type Io, processIo } from './wiring/io.ts';
import type { Libraries } from './wiring/libraries.ts';
import { createSession } from './wiring/session.ts';

const IMAGES_ALONE =
  'run the command as root; without it images are fetched, listed and exported in a directory of your own: --dir=PATH';

/**
 * Runs rkt and resolves to its exit status. Never rejects: errors go to standard error.
 *
 * @example
 * process.exitCode = await main(['image', 'list']);
 */
export async function main(
  argv: readonly string[],
  io: Io = processIo(),
  libraries: Libraries = installedLibraries,
): Promise<number> {
  let prefix = 'rkt';
  let name = 'rkt';
  let debug = argv.includes('--debug');
  let form: MessageForm = 'text';
  let localConfig = '/etc/rkt';
  try {
    if (argv[0] === completionKey) return await printCompletions(argv.slice(1), io, libraries);
    const line = locateCommand(argv);
    prefix = line.called ?? prefix;
    if (line.command !== undefined) name = lastWordOf(line.command);
    const { command, globals, args, wantsHelp } = readCommandLine(line);
    debug = globals.debug;
    localConfig = globals.localConfig;
    if (command === undefined || wantsHelp) return await showHelp(command, io, wantsHelp);
    requirePrivileges(command, io);
    const { execute } = await loadCommand(command.name);
    form = messageForm(command.flags, args.flags);
    await using session = createSession({ io, globals, libraries, prefix, command: name, form });
    return await execute(session, args);
  } catch (error) {
    const failure = await explained(withPrivileges(unwrap(error), io));
    createMessages(io, { prefix, command: name, form, debug, localConfig }).report(failure);
    if (!isCliError(failure) || failure.signal === undefined) return failureStatus;
    io.endBy(failure.signal);
    return signalStatus(failure.signal);
  }
}

async function showHelp(command: CommandSpec | undefined, io: Io, wanted: boolean): Promise<number> {
  const [{ commandPage, overviewPage }, { renderText }] = await Promise.all([
    import('./help/page.ts'),
    import('./help/text.ts'),
  ]);
  if (!wanted) io.stderr.write('rkt: missing command\n');
  io.stdout.write(renderText(command === undefined ? overviewPage() : commandPage(command), io.stdout.columns()));
  return wanted ? 0 : missingCommandStatus;
}

async function printCompletions(words: readonly string[], io: Io, libraries: Libraries): Promise<number> {
  const { complete } = await import('./completion/complete.ts');
  await complete(words, io, libraries);
  return 0;
}

async function loadCommand(name: string): Promise<CommandModule> {
  const load = commandModules[name];
  if (load === undefined) throw new TypeError(`command ${name} is declared but not implemented`);
  return await load();
}

function requirePrivileges(command: CommandSpec, io: Io): void {
  if (command.needsRoot !== true || io.uid === 0) return;
  const takesImages = command.flags.some(({ name }) => name === 'pull-policy');
  throw new CliError(
    'ERR_RKT_CLI_NOT_ROOT',
    'cannot run as unprivileged user',
    takesImages ? { hint: IMAGES_ALONE } : {},
  );
}

/** What only root may read is no failure of the system to another user. */
function withPrivileges(error: unknown, io: Io): unknown {
  const errno = errnoOf(error);
  if (io.uid === 0 || (errno !== 'EACCES' && errno !== 'EPERM')) return error;
  const message = `cannot run as unprivileged user: ${reasonOf(error)}${pathOf(error)}`;
  return new CliError('ERR_RKT_CLI_NOT_ROOT', message, { cause: error });
}

function pathOf(error: unknown): string {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? `: ${quote(error.path)}` : '';
}

/** A failure to close must not hide the failure that came before it. */
function unwrap(error: unknown): unknown {
  // By its name: Node 22 has no such class, and the compiler's stand-in is a plain error.
  if (!(error instanceof Error) || error.name !== 'SuppressedError' || !('suppressed' in error)) return error;
  return unwrap(error.suppressed);
}
