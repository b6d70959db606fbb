import { ConfigError } from '@leque/service';
import type { Command } from 'commander';

/** What scripts find in `$?`; 0 is success. */
export const EXIT = { refused: 1, usage: 2, unreachable: 3 } as const;

const DEFAULT_URL = 'http://localhost:9001';
const ANSWER_TIMEOUT_MS = 10_000;

/** Ends a command with a sentence and an exit code, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;
  /** Whether it may help to try again. */
  readonly passing: boolean;

  constructor(
    message: string,
    { exitCode, passing = false, cause }: { exitCode: number; passing?: boolean; cause?: unknown },
  ) {
    super(message, { cause });
    this.exitCode = exitCode;
    this.passing = passing;
  }
}

/** Where a running Leque is, and who asks. */
export interface ApiOptions {
  readonly url?: string;
  readonly apiKey?: string;
  readonly token?: string;
}

export const API_ENVIRONMENT =
  'Environment: LEQUE_URL, PUBLISH_API_KEY, LEQUE_TOKEN in place of --url, --api-key, --token.';

/** @param scope what the token, or the API key, has to allow */
export function addApiOptions(command: Command, scope: string): Command {
  return command
    .option('--url <url>', `of Leque (default: ${DEFAULT_URL})`)
    .option('--api-key <key>', 'one of its PUBLISH_API_KEYS')
    .option('--token <jwt>', `with the scope ${scope}`);
}

export interface Api {
  /** With its scheme, host and port. */
  readonly origin: string;
  readonly credential: string | undefined;
  /**
   * @param body sent as JSON; asks with GET without one
   * @returns the answer's JSON, whatever its status
   * @throws CommandError when nobody answers
   */
  ask(path: string, body?: unknown): Promise<ApiAnswer>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * An option stands above the environment; where both are there, keys are for services that publish.
 * @param needs what goes first: no key has the scope `admin`, or follows channels
 * @throws ConfigError when the URL is none
 */
export function openApi(
  options: ApiOptions,
  env: NodeJS.ProcessEnv,
  needs: 'key' | 'token' = 'key',
): Api {
  const url = options.url ?? (env['LEQUE_URL'] || DEFAULT_URL);
  if (!URL.canParse(url)) throw new ConfigError([`--url "${url}" is no URL`]);
  const { origin } = new URL(url);
  const given = { key: options.apiKey, token: options.token };
  const known = {
    key: env['PUBLISH_API_KEY'] || undefined,
    token: env['LEQUE_TOKEN'] || undefined,
  };
  const other = needs === 'token' ? 'key' : 'token';
  const credential = given[needs] ?? given[other] ?? known[needs] ?? known[other];
  return {
    origin,
    credential,
    async ask(path, body) {
      const response = await fetch(new URL(path, origin), {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(credential && { authorization: `Bearer ${credential}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      }).catch((cause: unknown) => {
        const message = `${origin} does not answer: ${reasonOf(cause)}`;
        throw new CommandError(message, { exitCode: EXIT.unreachable, passing: true, cause });
      });
      const answer = (await response.json().catch(() => ({}))) as ApiAnswer['body'];
      return { status: response.status, body: answer };
    },
  };
}

/** What a request that did not succeed is answered with, as an error. */
export function refusal({ origin }: Api, { status, body }: ApiAnswer): CommandError {
  const said = body['detail'] ?? body['title'] ?? 'no reason given';
  return new CommandError(`${status} from ${origin}: ${said}`, {
    exitCode: EXIT.refused,
    passing: status >= 500,
  });
}

/**
 * Runs a command's action: what goes wrong is a sentence on stderr and an exit code.
 * @param readerGone when nobody reads what it prints any more, as in `leque … | head`; it ends then
 */
export async function runCommand(
  action: () => Promise<number>,
  readerGone: () => void = () => process.exit(0),
): Promise<void> {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') process.exit(EXIT.refused);
    readerGone();
  });
  try {
    process.exitCode = await action();
  } catch (error) {
    if (!(error instanceof CommandError || error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = error instanceof CommandError ? error.exitCode : EXIT.usage;
  }
}

/** `fetch` says only that it failed; why is in the cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { readonly cause?: Error; readonly message: string };
  return cause?.message || message;
}
