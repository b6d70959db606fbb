import { setTimeout as delay } from 'node:timers/promises';
import { FIREHOSE, LOGS, tryParseChannel, tryParseCursor } from '@leque/protocol';
import { ConfigError } from '@leque/service';
import { Command } from 'commander';
import {
  API_ENVIRONMENT,
  type ApiOptions,
  addApiOptions,
  CommandError,
  openApi,
  runCommand,
} from '../api/api-client.ts';
import { positive } from '../api/arguments.ts';
import { FollowedChannel, type TailEvent } from '../api/followed-channel.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const LOST = 'Some events are lost: the history does not reach back to where this was.';

interface TailOptions extends ApiOptions {
  readonly since?: string;
  readonly level?: string;
  readonly count?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  leque tail project:PROJ-001
  leque tail project:PROJ-001 --since 5d1a92b8d5ac59c3.17     what came after that first
  leque tail logs --level error --json | jq .data.message
  leque tail user:alice --token "$(leque token --user alice)" --count 1

Comes back by itself and goes on where it was; what is lost for good is told on the standard error.
Exit codes: 0 --count is reached; 1 refused; 2 wrong options; 3 nobody answers at the start.
${API_ENVIRONMENT}`;

/** Follows a channel as any client does, and prints what comes. */
export function tailCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('tail')
    .description('follow a channel live')
    .argument('<channel>', 'project:ID, user:ID, all or logs')
    .option('--since <cursor>', 'begin after this, as far as it is remembered')
    .option('--level <level>', 'of logs, and above')
    .option('--count <n>', 'end after so many events');
  return addApiOptions(command, 'of a client that may see it')
    .option('--json', 'each event as clients get it, one a line')
    .addHelpText('after', EXAMPLES)
    .action((channel: string, options: TailOptions) =>
      runCommand(() => tail(channel, options, env)),
    );
}

async function tail(
  channel: string,
  options: TailOptions,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  checkOptions(channel, options);
  const { origin, credential: token } = openApi(options, env, 'token');
  const count = options.count === undefined ? undefined : positive('--count', options.count);
  const followed = new FollowedChannel({ origin, token, channel, level: options.level });
  let printed = 0;
  for await (const event of comingBack(followed, options.since)) {
    console.log(options.json ? event.text : describe(event));
    printed += 1;
    if (count !== undefined && printed >= count) break;
  }
  return 0;
}

/** How far it has come over all of its connections. */
interface Progress {
  since: string | undefined;
  failures: number;
  wasConnected: boolean;
}

/** @throws CommandError when it cannot be followed at all, or not any more */
async function* comingBack(followed: FollowedChannel, since: string | undefined) {
  const progress: Progress = { since, failures: 0, wasConnected: false };
  for (;;) {
    yield* oneConnection(followed, progress);
    await delay(followed.hintMs ?? pauseAfter(progress.failures));
    progress.failures += 1;
  }
}

async function* oneConnection(followed: FollowedChannel, progress: Progress) {
  try {
    for await (const each of followed.events(progress.since)) {
      progress.wasConnected = true;
      progress.failures = 0;
      progress.since = each.cursor ?? progress.since;
      if (each.kind === 'gap') console.error(LOST);
      if (each.kind === 'event') yield each;
    }
  } catch (error) {
    if (!progress.wasConnected || !mayPass(error)) throw error;
    console.error(`${error.message}; coming back`);
  }
}

function mayPass(error: unknown): error is CommandError {
  return error instanceof CommandError && error.passing;
}

function pauseAfter(failures: number): number {
  return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
}

function checkOptions(channel: string, { since, level }: TailOptions): void {
  const kind = tryParseChannel(channel)?.kind;
  const problems = [
    ...(kind === undefined || kind === FIREHOSE
      ? [`"${channel}" is not a channel: project:ID, user:ID, all or logs`]
      : []),
    ...(since !== undefined && tryParseCursor(since) === undefined
      ? [`--since "${since}" is not a cursor`]
      : []),
    ...(since !== undefined && kind === LOGS ? ['--since: logs have no history'] : []),
    ...(level !== undefined && kind !== LOGS ? ['--level is for logs only'] : []),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
}

/** For people: when, what, and with which data. */
function describe({ type, timestamp, data, cursor = '' }: TailEvent): string {
  return inert(`${timestamp}  ${type}  ${JSON.stringify(data)}${cursor && `  ${cursor}`}`);
}

/** With nothing that moves a terminal's cursor, colours it or turns its text around. */
function inert(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Bidi_Control}]/gu,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
