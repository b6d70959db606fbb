import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError } from '@leque/core';
import { Command } from 'commander';

const DEFAULT_URL = 'http://localhost:9001';
const EVENTS_PER_REQUEST = 100;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;
const ANSWER_TIMEOUT_MS = 10_000;
/** What scripts find in `$?`. */
const EXIT = { refused: 1, usage: 2, unreachable: 3 } as const;

interface PublishOptions {
  readonly type?: string;
  readonly project?: string;
  readonly user?: string;
  readonly channel?: string;
  readonly data: string;
  readonly key?: string;
  readonly file?: string;
  readonly url?: string;
  readonly apiKey?: string;
  readonly token?: string;
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

/** The whole request was refused, or nobody answered. */
class PublishError extends Error {
  readonly exitCode: number;
  /** Whether it may help to try again, which the events' idempotency keys make safe. */
  readonly passing: boolean;

  constructor(message: string, how: { exitCode: number; passing: boolean; cause?: unknown }) {
    super(message, { cause: how.cause });
    this.exitCode = how.exitCode;
    this.passing = how.passing;
  }
}

const EXAMPLES = `
Examples:
  leque publish --type note --project PROJ-001 --data '{"text":"hello"}'
  leque publish --type task.completed --user alice --data '{"task_id":"7"}' --json
  leque publish --file events.ndjson     one event a line, in their order; - is the standard input

Tries again when it has to; with idempotency keys, so that nothing is stored twice.
Exit codes: 0 all are stored, 1 some are not, 2 wrong options, 3 nobody answers.
Environment: LEQUE_URL, PUBLISH_API_KEY, LEQUE_TOKEN in place of --url, --api-key, --token.`;

/** Publishes over HTTP, as any service does. */
export function publishCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('publish')
    .description('publish an event, or a file of them')
    .option('--type <type>', 'of the event')
    .option('--project <id>', 'whose subscribers get it')
    .option('--user <id>', 'who gets it')
    .option('--channel <name>', 'all, logs, project:ID or user:ID')
    .option('--data <json>', 'an object', '{}')
    .option('--key <key>', 'idempotency key: with the same one it is stored once')
    .option('--file <file>', 'events as JSON, one a line; - for the standard input')
    .option('--url <url>', `of a publisher (default: ${DEFAULT_URL})`)
    .option('--api-key <key>', 'one of its PUBLISH_API_KEYS')
    .option('--token <jwt>', 'with the scope publish')
    .option('--json', 'a line of JSON for each event')
    .addHelpText('after', EXAMPLES)
    .action(async (options: PublishOptions) => {
      try {
        process.exitCode = await publish(options, env);
      } catch (error) {
        if (!(error instanceof PublishError || error instanceof ConfigError)) throw error;
        console.error(error.message);
        process.exitCode = error instanceof PublishError ? error.exitCode : EXIT.usage;
      }
    });
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
      if (!(error instanceof PublishError && error.passing) || attempt === ATTEMPTS) throw error;
    }
    await delay(Math.random() * FIRST_PAUSE_MS * 2 ** attempt);
  }
}

function poster(options: PublishOptions, env: NodeJS.ProcessEnv) {
  const url = options.url ?? env['LEQUE_URL'] ?? DEFAULT_URL;
  const credential =
    options.apiKey ?? options.token ?? env['PUBLISH_API_KEY'] ?? env['LEQUE_TOKEN'];
  if (!URL.canParse('/api/publish', url)) throw new ConfigError([`--url "${url}" is no URL`]);
  const target = new URL('/api/publish', url);
  return async (events: readonly Sent[]): Promise<readonly Result[]> => {
    const response = await fetch(target, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(credential && { authorization: `Bearer ${credential}` }),
      },
      body: JSON.stringify(events),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    }).catch((cause: unknown) => {
      throw new PublishError(`${target.origin} does not answer: ${reasonOf(cause)}`, {
        exitCode: EXIT.unreachable,
        passing: true,
        cause,
      });
    });
    const answer = (await response.json().catch(() => ({}))) as Answer;
    if (answer.results !== undefined) return answer.results;
    const said = answer.detail ?? answer.title ?? response.statusText;
    throw new PublishError(`${response.status} from ${target.origin}: ${said}`, {
      exitCode: EXIT.refused,
      passing: response.status >= 500,
    });
  };
}

interface Answer {
  readonly results?: readonly Result[];
  readonly title?: string;
  readonly detail?: string;
}

/** `fetch` says only that it failed; why is in the cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { readonly cause?: Error; readonly message: string };
  return cause?.message || message;
}
