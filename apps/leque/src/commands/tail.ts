import { setTimeout as delay } from 'node:timers/promises';
import type { LogLevel } from '@leque/protocol';
import { Command, Option } from 'commander';
import { type ApiOptions, addApiOptions, openApi } from '../api/api-client.ts';
import { CommandError, EXIT, type ExitCode, usageError } from '../api/exit.ts';
import type { Followed, TailEvent } from '../api/followed.ts';
import type { FollowedChannel } from '../api/followed-channel.ts';
import { parseCount } from '../api/parse-option.ts';
import { oneLine, print, printError } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const DROPPED = 'live-only events did not come, because they were not read fast enough.';
const LOST = 'Some events are lost and cannot be recovered; continuing from the present position.';
/** A table of the names only, so that the help is printed without loading the protocol. */
const LEVELS: Readonly<Record<LogLevel, true>> = {
  debug: true,
  info: true,
  warning: true,
  error: true,
  critical: true,
};

interface TailOptions extends ApiOptions {
  readonly since?: string;
  readonly level?: string;
  readonly count?: number;
}

const EXAMPLES = `
Examples:
  leque tail project:PROJ-001
  leque tail project:PROJ-001 --since 5d1a92b8d5ac59c3.17     prints first what came after it
  leque tail logs --level error --json | jq .data.message
  leque tail user:alice --token "$(leque token --user alice)" --count 1

It reconnects by itself and resumes where it was. Events that are lost for good are reported on
stderr.
Exit codes: 0 --count is reached; 1 refused; 2 wrong options; 3 no server answers at the start.`;

/** Follows a channel as any client does, and prints its events. */
export function tailCommand(): Command {
  const command = new Command('tail')
    .description('follow a channel live')
    .argument('<channel>', 'project:ID, user:ID (percent-encoded), all or logs')
    .option('--since <cursor>', 'print first what the history has after this cursor')
    .addOption(
      new Option('--level <level>', 'least severe level of logs to print').choices(
        Object.keys(LEVELS),
      ),
    )
    .option('--count <n>', 'end after this number of events', parseCount);
  return addApiOptions(command, 'of a client that may see the channel')
    .option('--json', 'print each event as clients receive it, one a line')
    .addHelpText('after', EXAMPLES)
    .action((channel: string, _options, self: Command) => runCommand(() => tail(channel, self)));
}

async function tail(channel: string, command: Command): Promise<ExitCode> {
  const { since, level, count, json } = command.opts<TailOptions>();
  const { url, credential: token } = openApi(command, 'token');
  await checkOptions(channel, { since, level });
  const { FollowedChannel } = await import('../api/followed-channel.ts');
  const followed = new FollowedChannel({ url, token, channel, level });
  let printed = 0;
  for await (const event of reconnecting(followed, since)) {
    print(json ? event.text : describe(event));
    printed += 1;
    if (count !== undefined && printed >= count) break;
  }
  return EXIT.done;
}

/** State that lasts over all connections of one command. */
interface Progress {
  since: string | undefined;
  failures: number;
  wasConnected: boolean;
  /** Set from the end of a connection until the next one has been answered. */
  isAway: boolean;
}

/** @throws CommandError when the channel cannot be followed, or no longer */
async function* reconnecting(followed: FollowedChannel, since: string | undefined) {
  const progress: Progress = { since, failures: 0, wasConnected: false, isAway: false };
  for (;;) {
    yield* oneConnection(followed, progress);
    await delay(followed.hintMs ?? pauseAfter(progress.failures));
    progress.failures += 1;
  }
}

async function* oneConnection(followed: FollowedChannel, progress: Progress) {
  try {
    for await (const each of followed.events(progress.since)) {
      reportReturn(each, progress);
      progress.wasConnected = true;
      progress.isAway = false;
      progress.failures = 0;
      progress.since = each.cursor ?? progress.since;
      if (each.kind === 'event') yield each;
      if (each.kind === 'dropped') printError(`${each.count} ${DROPPED}`);
    }
  } catch (error) {
    if (!progress.wasConnected || !isRetryable(error)) throw error;
    if (!progress.isAway) printError(`${error.message}; reconnecting`);
    progress.isAway = true; // further attempts that fail are not reported
  }
}

/** Without a position nobody knows whether something is missing. */
function reportReturn({ kind, cursor }: Followed, { since, isAway }: Progress): void {
  if (kind === 'gap') printError(LOST);
  if (kind !== 'ready' || !isAway) return;
  const isComplete = since !== undefined && cursor !== undefined;
  printError(isComplete ? 'back, nothing lost' : 'back; events in between were not received');
}

function isRetryable(error: unknown): error is CommandError {
  return error instanceof CommandError && error.retryable;
}

function pauseAfter(failures: number): number {
  return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
}

async function checkOptions(
  channel: string,
  { since, level }: { since: string | undefined; level: string | undefined },
): Promise<void> {
  const { FIREHOSE, LOGS, suggestChannel, tryParseChannel, tryParseCursor } = await import(
    '@leque/protocol'
  );
  const kind = tryParseChannel(channel)?.kind;
  const suggested = suggestChannel(channel);
  const how = suggested === undefined ? '' : `, with the id percent-encoded: ${suggested}`;
  const problems = [
    ...(kind === undefined || kind === FIREHOSE
      ? [`"${channel}" is not a channel: project:ID, user:ID, all or logs${how}`]
      : []),
    ...(since !== undefined && tryParseCursor(since) === undefined
      ? [`--since "${since}" is not a cursor`]
      : []),
    ...(since !== undefined && kind === LOGS ? ['--since: logs have no history'] : []),
    ...(level !== undefined && kind !== LOGS ? ['--level is for logs only'] : []),
  ];
  if (problems.length > 0) throw usageError(problems);
}

/** One line for people: time, type, data and cursor. */
function describe({ type, timestamp, data, cursor = '' }: TailEvent): string {
  return oneLine(`${timestamp}  ${type}  ${JSON.stringify(data)}${cursor && `  ${cursor}`}`);
}
