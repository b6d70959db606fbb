import { randomUUID } from 'node:crypto';
import type { BatchItemResult, ItemResult, Stored } from '@leque/protocol';
import { Command, Option } from 'commander';
import { type Api, type ApiOptions, addApiOptions, openApi } from '../api/api-client.ts';
import { type EventLine, readEventLines } from '../api/event-lines.ts';
import { CommandError, EXIT, type ExitCode, usageError } from '../api/exit.ts';
import { parseJsonObject } from '../api/parse-option.ts';
import { oneLine, print, printError } from '../api/print.ts';
import { isLive, publishAll } from '../api/publish-attempts.ts';
import { runCommand } from '../api/run-command.ts';
import { doubtAbout } from '../api/token-to-make.ts';

const EVENTS_PER_REQUEST = 100;
/** The limit of the API; it is written here again, because the command loads no schemas. */
const MAX_RECIPIENTS = 2_000;
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
  leque publish --type note --user alice,bob,carol --data '{"text":"hello"}'
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
      new Option(
        '--project <ids>',
        'project whose subscribers receive it, or several with commas',
      ).conflicts(['user', 'channel']),
    )
    .addOption(
      new Option('--user <ids>', 'user who receives it, or several with commas').conflicts(
        'channel',
      ),
    )
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
  warnOfDoubts(options);
  const [result] = await publishAll(api, [eventOf(options)]);
  if (result === undefined) throw new Error('one event has one result');
  const isDone = isPublishedEverywhere(result);
  const lines = options.json ? [JSON.stringify(result)] : describe(result, 0);
  for (const line of lines) (isDone || options.json ? print : printError)(line);
  return isDone ? EXIT.done : EXIT.refused;
}

function warnOfDoubts(options: PublishOptions): void {
  for (const option of ['user', 'project'] as const) {
    for (const id of idsIn(options[option])) {
      const doubt = doubtAbout(`--${option}`, id);
      if (doubt !== undefined) printError(doubt);
    }
  }
}

async function publishFile(api: Api, file: string, json = false): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  for await (const { line, result } of resultsOf(api, file)) {
    if (!isPublishedEverywhere(result)) exitCode = EXIT.refused;
    const lines = json ? [JSON.stringify({ line, ...result })] : describe(result, line);
    for (const each of lines) print(each);
  }
  return exitCode;
}

async function* resultsOf(
  api: Api,
  file: string,
): AsyncGenerator<{ readonly line: number; readonly result: BatchItemResult }> {
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

function isPublishedEverywhere(result: BatchItemResult): boolean {
  return 'results' in result ? result.results.every(isPublished) : isPublished(result);
}

/**
 * Describes an outcome, in a line for each channel of a list.
 * @param line its number in the file; 0 for a single event
 */
function describe(result: BatchItemResult, line: number): string[] {
  const where = line === 0 ? '' : `line ${line} `;
  if (!('results' in result)) return [describeOne(result, where)];
  return result.results.map((each) => `${where}${each.channel ?? ''} ${describeOne(each, '')}`);
}

function describeOne(result: ItemResult, where: string): string {
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
  const misfits = warnings.map(({ field, message }) => `${field} ${message}`);
  return `its data does not fit its type: ${misfits.join('; ')}`;
}

async function* batchesOf(file: string): AsyncGenerator<readonly EventLine[]> {
  let batch: EventLine[] = [];
  let publications = 0;
  for await (const { line, event } of readEventLines(file)) {
    const own = publicationsOf(event);
    const isFull = batch.length === EVENTS_PER_REQUEST || publications + own > MAX_RECIPIENTS;
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
      publications = 0;
    }
    batch.push({ line, event: withKey(event) });
    publications += own;
  }
  if (batch.length > 0) yield batch;
}

/** The number of channels that an event goes to, as far as it has lists. */
function publicationsOf(event: Event): number {
  const lists = [event['user_ids'], event['project_ids']];
  return Math.max(
    1,
    lists.reduce<number>((sum, ids) => sum + (Array.isArray(ids) ? ids.length : 0), 0),
  );
}

function eventOf({ type, project, user, channel, data = {}, key, live }: PublishOptions): Event {
  if (type === undefined) throw usageError(['--type or --file is needed']);
  return withKey({
    type,
    data,
    ...recipients('project', project),
    ...recipients('user', user),
    channel,
    idempotency_key: key,
    live,
  });
}

/** Commas separate ids. An id that has commas is given by `--file` or `--channel`. */
function recipients(kind: 'user' | 'project', option: string | undefined): object {
  const ids = idsIn(option);
  return ids.length > 1 ? { [`${kind}_ids`]: ids } : { [`${kind}_id`]: ids[0] };
}

function idsIn(option: string | undefined): string[] {
  return option === undefined ? [] : option.split(',');
}

function withKey(event: Event): Event {
  if (isLive(event)) return event;
  return { ...event, idempotency_key: event['idempotency_key'] ?? randomUUID() };
}
