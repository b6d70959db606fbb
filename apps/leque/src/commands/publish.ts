import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError } from '@leque/service';
import { Command } from 'commander';
import {
  API_ENVIRONMENT,
  type ApiOptions,
  addApiOptions,
  CommandError,
  EXIT,
  openApi,
  refusal,
  runCommand,
} from '../api/api-client.ts';

const EVENTS_PER_REQUEST = 100;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;

interface PublishOptions extends ApiOptions {
  readonly type?: string;
  readonly project?: string;
  readonly user?: string;
  readonly channel?: string;
  readonly data: string;
  readonly key?: string;
  readonly file?: string;
  readonly json?: boolean;
}

type Sent = Readonly<Record<string, unknown>>;

/** Of one event, as `POST /api/publish` answers; see its documentation. */
interface Result {
  readonly status: 'stored' | 'refused' | 'unavailable' | 'unknown';
  readonly message_id?: string;
  readonly cursor?: string;
  readonly duplicate?: boolean;
  readonly problem?: { readonly detail?: string };
}

const EXAMPLES = `
Examples:
  leque publish --type note --project PROJ-001 --data '{"text":"hello"}'
  leque publish --type note --user alice --data '{"text":"hello"}' --json
  leque publish --file events.ndjson     one event a line, in their order; - is the standard input

Tries again when it has to; with idempotency keys, so that nothing is stored twice.
Exit codes: 0 all are stored, 1 some are not, 2 wrong options, 3 nobody answers.
${API_ENVIRONMENT}`;

/** Publishes over HTTP, as any service does. */
export function publishCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('publish')
    .description('publish an event, or a file of them')
    .option('--type <type>', 'of the event')
    .option('--project <id>', 'whose subscribers get it')
    .option('--user <id>', 'who gets it')
    .option('--channel <name>', 'all, logs, project:ID or user:ID; all where nothing else is said')
    .option('--data <json>', 'an object', '{}')
    .option('--key <key>', 'idempotency key: with the same one it is stored once')
    .option('--file <file>', 'events as JSON, one a line; - for the standard input');
  return addApiOptions(command, 'publish')
    .option('--json', 'a line of JSON for each event')
    .addHelpText('after', EXAMPLES)
    .action((options: PublishOptions) =>
      // What is left is still to be stored, and the exit code still tells.
      runCommand(
        () => publish(options, env),
        () => {},
      ),
    );
}

/** @returns the exit code */
async function publish(options: PublishOptions, env: NodeJS.ProcessEnv): Promise<number> {
  const post = poster(options, env);
  let exitCode = 0;
  for await (const events of batchesOf(options)) {
    for (const result of await persist(post, events)) {
      if (result.status !== 'stored') exitCode = EXIT.refused;
      console.log(options.json ? JSON.stringify(result) : describe(result));
    }
  }
  return exitCode;
}

function describe({ status, message_id, cursor, duplicate, problem }: Result): string {
  if (status !== 'stored') return `${status}: ${problem?.detail ?? 'no reason given'}`;
  const known = duplicate ? 'known already' : 'stored';
  return [known, message_id, cursor].filter((part) => part !== undefined).join(' ');
}

async function* batchesOf(options: PublishOptions): AsyncGenerator<readonly Sent[]> {
  if (options.file === undefined) return yield [eventOf(options)];
  const input = options.file === '-' ? process.stdin : createReadStream(options.file);
  // A file that cannot be read fails while it is read: the lines' own iterator would wait for ever.
  const failed = new Promise<never>((_, reject) => {
    input.once('error', ({ message }: Error) => reject(new ConfigError([`--file: ${message}`])));
  });
  failed.catch(() => {});
  const lines = createInterface({ input })[Symbol.asyncIterator]();
  let batch: Sent[] = [];
  for (let number = 1; ; number += 1) {
    const { value: line, done } = await Promise.race([lines.next(), failed]);
    if (done === true) break;
    if (String(line).trim() === '') continue;
    batch.push(keyed(parseObject(String(line), `line ${number}`)));
    if (batch.length < EVENTS_PER_REQUEST) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function eventOf({ type, project, user, channel, data, key }: PublishOptions): Sent {
  if (type === undefined) throw new ConfigError(['--type or --file is needed']);
  return keyed({
    type,
    data: parseObject(data, '--data'),
    project_id: project,
    user_id: user,
    channel,
    idempotency_key: key,
  });
}

function parseObject(text: string, where: string): Sent {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Sent;
  } catch {
    // Said below.
  }
  throw new ConfigError([`${where} is not a JSON object: ${text.slice(0, 60)}`]);
}

function keyed(event: Sent): Sent {
  return { ...event, idempotency_key: event['idempotency_key'] ?? randomUUID() };
}

/** Until the outcome of each is known, or it is hopeless. */
async function persist(
  post: (events: readonly Sent[]) => Promise<readonly Result[]>,
  events: readonly Sent[],
): Promise<readonly Result[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const results = await post(events);
      const open = results.some(({ status }) => status === 'unavailable' || status === 'unknown');
      if (!open || attempt === ATTEMPTS) return results;
    } catch (error) {
      if (!(error instanceof CommandError && error.passing) || attempt === ATTEMPTS) throw error;
    }
    await delay(Math.random() * FIRST_PAUSE_MS * 2 ** attempt);
  }
}

function poster(options: PublishOptions, env: NodeJS.ProcessEnv) {
  const api = openApi(options, env);
  return async (events: readonly Sent[]): Promise<readonly Result[]> => {
    const answer = await api.ask('/api/publish', events);
    const { results } = answer.body as { readonly results?: readonly Result[] };
    if (results === undefined) throw refusal(api, answer);
    return results;
  };
}
