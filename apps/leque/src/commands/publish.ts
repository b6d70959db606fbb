import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  describeProblems,
  type ItemResult,
  type PublishResults,
  type Stored,
} from '@leque/protocol';
import { Command, Option } from 'commander';
import { type Api, type ApiOptions, addApiOptions, bodyWith, openApi } from '../api/api-client.ts';
import { type EventLine, readEventLines } from '../api/event-lines.ts';
import { CommandError, EXIT, type ExitCode, usageError } from '../api/exit.ts';
import { parseJsonObject } from '../api/parse-option.ts';
import { oneLine, print, printError } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';
import { doubtAbout } from '../api/token-to-make.ts';

const EVENTS_PER_REQUEST = 100;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;
/** Options that describe one event, by their names in `PublishOptions`. */
const EVENT_OPTIONS = ['type', 'project', 'user', 'channel', 'data', 'key', 'live'];

interface PublishOptions extends ApiOptions {
  readonly type?: string;
  readonly project?: string;
  readonly user?: string;
  readonly channel?: string;
  readonly data?: object;
  readonly key?: string;
  readonly live?: boolean;
  readonly file?: string;
}

type Event = EventLine['event'];

const EXAMPLES = `
Examples:
  leque publish --type note --project PROJ-001 --data '{"text":"hello"}'
  leque publish --type note --user alice --data '{"text":"hello"}' --json
  leque publish --type typing --project PROJ-001 --live
  leque publish --file events.ndjson     one event a line, stored in their order; - is stdin

It tries again when no server answers or Redis is away. Idempotency keys keep it from storing an
event twice. A live event is not sent again, because nothing keeps it from coming twice.
Exit codes: 0 all events are published; 1 some are not; 2 wrong options; 3 no server answers.`;

/** Publishes over HTTP, as any service does. */
export function publishCommand(): Command {
  const command = new Command('publish')
    .description('publish an event, or a file of events')
    .option('--type <type>', 'type of the event')
    .addOption(
      new Option('--project <id>', 'project whose subscribers receive it').conflicts([
        'user',
        'channel',
      ]),
    )
    .addOption(new Option('--user <id>', 'user who receives it').conflicts('channel'))
    .option('--channel <name>', 'channel to publish to: all, logs, project:ID or user:ID')
    .option('--data <json>', 'data of the event, a JSON object (default: {})', parseJsonObject)
    .option('--key <key>', 'idempotency key; the same key is stored once (default: random)')
    .addOption(
      new Option('--live', 'send the event to those who are there, without storing it').conflicts(
        'key',
      ),
    )
    .addOption(
      new Option(
        '--file <file>',
        'publish the events of this file, one JSON object a line',
      ).conflicts(EVENT_OPTIONS),
    );
  return addApiOptions(command, 'with the scope publish')
    .option('--json', 'print the result of each event as a line of JSON')
    .addHelpText('after', EXAMPLES)
    .action((_options, self: Command) => runCommand(() => publish(self), keepPublishing));
}

/** Events are stored, and the exit code is set, although nobody reads the results. */
function keepPublishing(): void {}

function publish(command: Command): Promise<ExitCode> {
  const options = command.opts<PublishOptions>();
  const api = openApi(command, 'key', 'publish');
  return options.file === undefined
    ? publishOne(api, options)
    : publishFile(api, options.file, options.json);
}

async function publishOne(api: Api, options: PublishOptions): Promise<ExitCode> {
  for (const option of ['user', 'project'] as const) {
    const doubt = doubtAbout(`--${option}`, options[option] ?? '');
    if (doubt !== undefined) printError(doubt);
  }
  const [result] = await publishAll(api, [eventOf(options)]);
  if (result === undefined) throw new Error('one event has one result');
  if (options.json) print(JSON.stringify(result));
  else if (isPublished(result)) print(describe(result, 0));
  else printError(describe(result, 0));
  return isPublished(result) ? EXIT.done : EXIT.refused;
}

async function publishFile(api: Api, file: string, json = false): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  for await (const { line, result } of resultsOf(api, file)) {
    if (!isPublished(result)) exitCode = EXIT.refused;
    print(json ? JSON.stringify({ line, ...result }) : describe(result, line));
  }
  return exitCode;
}

async function* resultsOf(
  api: Api,
  file: string,
): AsyncGenerator<{ readonly line: number; readonly result: ItemResult }> {
  const progress = { reported: 0, sent: 0 };
  try {
    for await (const batch of batchesOf(file)) {
      progress.sent = batch.at(-1)?.line ?? 0;
      const events = batch.map(({ event }) => event);
      for (const [index, result] of (await publishAll(api, events)).entries()) {
        yield { line: batch[index]?.line ?? 0, result };
      }
      progress.reported = progress.sent;
    }
  } catch (error) {
    throw error instanceof CommandError ? withProgress(error, progress) : error;
  }
}

/** Adds what became of the other lines; 2 as the exit code would mean that nothing was tried. */
function withProgress(
  error: CommandError,
  { reported, sent }: { reported: number; sent: number },
): CommandError {
  const sentences = [
    ...(reported > 0 ? [`The results up to line ${reported} are printed.`] : []),
    ...(sent > reported ? [`Lines ${reported + 1} to ${sent} may be stored.`] : []),
    sent > 0 ? `Nothing after line ${sent} was sent.` : 'Nothing was sent.',
  ];
  const { exitCode } = error;
  return new CommandError(`${error.message}\n${sentences.join(' ')}`, {
    exitCode: sent > 0 && exitCode === EXIT.usage ? EXIT.refused : exitCode,
    cause: error,
  });
}

type Published = Extract<ItemResult, { status: 'stored' | 'live' }>;

function isPublished(result: ItemResult): result is Published {
  return result.status === 'stored' || result.status === 'live';
}

/** @param line its number in the file; 0 for a single event */
function describe(result: ItemResult, line: number): string {
  const where = line === 0 ? '' : `line ${line} `;
  // A proxy may answer with less than the schema asks for.
  if (!isPublished(result)) {
    return `${where}${result.status}: ${oneLine(result.problem?.detail ?? 'no reason given')}`;
  }
  const outcome = result.duplicate ? 'known already' : result.status;
  const parts = [outcome, result.message_id, result.cursor].filter((part) => part !== undefined);
  const notes = [result.warning, misfitOf(result.warnings)].filter((note) => note !== undefined);
  return [parts.map(oneLine).join(' '), ...notes.map(oneLine)].join('; ');
}

function misfitOf(warnings: Stored['warnings']): string | undefined {
  if (warnings === undefined) return undefined;
  return `its data does not fit its type: ${describeProblems(warnings)}`;
}

async function* batchesOf(file: string): AsyncGenerator<readonly EventLine[]> {
  let batch: EventLine[] = [];
  for await (const { line, event } of readEventLines(file)) {
    batch.push({ line, event: withKey(event) });
    if (batch.length < EVENTS_PER_REQUEST) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function eventOf({ type, project, user, channel, data = {}, key, live }: PublishOptions): Event {
  if (type === undefined) throw usageError(['--type or --file is needed']);
  return withKey({
    type,
    data,
    project_id: project,
    user_id: user,
    channel,
    idempotency_key: key,
    live,
  });
}

function withKey(event: Event): Event {
  if (isLive(event)) return event;
  return { ...event, idempotency_key: event['idempotency_key'] ?? randomUUID() };
}

function isLive(event: Event | undefined): boolean {
  return event?.['live'] === true;
}

/**
 * Publishes until the outcome of each event is known, or five attempts have failed.
 * @returns a result for each event, in their order
 */
async function publishAll(api: Api, events: readonly Event[]): Promise<readonly ItemResult[]> {
  const results: ItemResult[] = [];
  let open: readonly OpenEvent[] = [...events.entries()];
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt === ATTEMPTS;
    const answers = await publishOnce(api, open).catch((error: unknown) => {
      const remains = open.some(([, event]) => !isLive(event));
      if (!isRetryable(error) || isLast || !remains) throw error;
      return open.map(() => NO_ANSWER);
    });
    open.forEach(([index], at) => {
      results[index] = answers[at] ?? NO_ANSWER;
    });
    open = open.filter(([index, event]) => isOpen(event, results[index]));
    if (open.length === 0 || isLast) return results;
    await delay(Math.random() * FIRST_PAUSE_MS * 2 ** attempt);
  }
}

/** An event without a known outcome, after its place among all events. */
type OpenEvent = readonly [index: number, event: Event];

function isRetryable(error: unknown): boolean {
  return error instanceof CommandError && error.retryable;
}

/** The result of an event that was sent, and not answered. A live one keeps it. */
const NO_ANSWER: ItemResult = {
  status: 'unknown',
  problem: {
    type: 'about:blank',
    title: 'outcome unknown',
    status: 503,
    code: 'outcome_unknown',
    detail: 'no answer; a live event is not sent again, because it could come twice',
  },
};

/** Whether the event has to be sent once more. */
function isOpen(event: Event, result: ItemResult | undefined): boolean {
  if (result?.status === 'unknown') return !isLive(event);
  return result?.status === 'unavailable';
}

async function publishOnce(api: Api, open: readonly OpenEvent[]): Promise<readonly ItemResult[]> {
  const answer = await api.request(
    '/api/publish',
    open.map(([, event]) => event),
  );
  const { results } = answer.body as Partial<PublishResults>;
  // Results that are not all stored come with the status of a failure.
  return results ?? bodyWith<PublishResults>('results', answer, api).results;
}
