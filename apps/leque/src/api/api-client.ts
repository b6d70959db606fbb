import { type Command, Option } from 'commander';
import { CommandError, EXIT, usageError } from './exit.ts';
import { parseBaseUrl, tryParseObject } from './parse-option.ts';
import { oneLine } from './print.ts';
import { tokenForScope } from './token-to-make.ts';

const DEFAULT_URL = 'http://localhost:9001';
const ANSWER_TIMEOUT_MS = 10_000;
/** Ends the sentence about a server that does not answer. */
export const WHERE_TO_LOOK = 'start one with `npm start`, or name one with --url or LEQUE_URL';
/** The characters that the value of an HTTP header may contain. */
const CREDENTIAL = /^[\x21-\x7e]+$/;

/** The environment variables of the options below; an empty one counts as not set. */
export const API_VARIABLES = ['LEQUE_URL', 'PUBLISH_API_KEY', 'LEQUE_TOKEN'] as const;
const [URL_VARIABLE, KEY_VARIABLE, TOKEN_VARIABLE] = API_VARIABLES;

/** Values of the options that most commands have, beside those of `openApi`. */
export interface ApiOptions {
  readonly json?: boolean;
}

/** @param right what the token has to allow, as a complement of "JWT" */
export function addApiOptions(command: Command, right: string): Command {
  return command
    .addOption(
      new Option('--url <url>', 'URL of the Leque API')
        .env(URL_VARIABLE)
        .argParser(parseBaseUrl)
        .default(DEFAULT_URL),
    )
    .addOption(
      new Option('--api-key <key>', 'API key, one of the PUBLISH_API_KEYS of the publisher').env(
        KEY_VARIABLE,
      ),
    )
    .addOption(new Option('--token <jwt>', `JWT ${right}`).env(TOKEN_VARIABLE));
}

export interface Api {
  /** Base URL, without a slash at its end. */
  readonly url: string;
  readonly credential: string | undefined;
  /** The command needs a token with this scope; undefined where another right decides. */
  readonly scope: string | undefined;
  /**
   * Sends `body` as JSON with POST, or asks with GET without a body.
   * @returns the answer, whatever its status
   * @throws CommandError when no server answers, or the answer is not JSON
   */
  request(path: string, body?: unknown): Promise<ApiAnswer>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Reads the options that `addApiOptions` has added. An option has precedence over the environment;
 * where the environment has both a key and a token, `preferred` decides.
 * @param preferred `token` where no key suffices: to follow a channel, and for the scope `admin`
 * @param scope what a token needs for the command
 * @throws CommandError when the options contradict each other
 */
export function openApi(command: Command, preferred: 'key' | 'token', scope?: string): Api {
  const { url } = command.opts<{ url: string }>();
  const credential = credentialOf(command, preferred);
  return {
    url,
    credential,
    scope,
    async request(path, body) {
      const response = await fetch(`${url}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      }).catch((cause: unknown) => {
        throw unreachable(url, cause);
      });
      const text = await response.text().catch((cause: unknown) => {
        throw unreachable(url, cause);
      });
      const { status } = response;
      const answer = tryParseObject(text);
      // A load balancer has no JSON for a server that is away.
      if (answer === undefined && status < 500) throw notLeque(url, status);
      return { status, body: answer ?? {} };
    },
  };
}

/**
 * @returns the body of a successful answer
 * @throws CommandError when the answer reports a failure, or lacks `field`
 */
export function bodyWith<T>(field: keyof T & string, answer: ApiAnswer, api: Api): T {
  if (answer.status !== 200) throw refusal(api, answer);
  if (!(field in answer.body)) throw notLeque(api.url, answer.status);
  return answer.body as T;
}

/** The error for an answer without success. */
function refusal(api: Api, { status, body }: ApiAnswer): CommandError {
  const { url } = api;
  const reason = oneLine(String(body['detail'] ?? body['title'] ?? 'no reason given'));
  return new CommandError(`${status} from ${url}: ${reason}${adviceOn(api, { status, reason })}`, {
    exitCode: EXIT.refused,
    retryable: status >= 500,
  });
}

/** Returns the end of a refusal's sentence, which says what its reader can do. */
function adviceOn(api: Api, { status, reason }: { status: number; reason: string }): string {
  if (status === 404 && /^there is no (GET|POST) \/api/.test(reason)) {
    return '; a gateway has no API: name a publisher or a load balancer with --url';
  }
  const scope = missingScope(api, { status, reason });
  return scope === undefined ? '' : `; try ${tokenForScope(scope)}`;
}

function missingScope(
  { credential, scope }: Api,
  { status, reason }: { status: number; reason: string },
): string | undefined {
  if (status === 401) return credential === undefined ? scope : undefined;
  return status === 403 ? /\bscope ([\w:]+)/.exec(reason)?.[1] : undefined;
}

function notLeque(url: string, status: number): CommandError {
  const message = `${status} from ${url}, but not an answer of Leque; is that the right URL?`;
  return new CommandError(message, { exitCode: EXIT.refused });
}

function unreachable(url: string, cause: unknown): CommandError {
  return new CommandError(`${url} does not answer: ${reasonOf(cause)}; ${WHERE_TO_LOOK}`, {
    exitCode: EXIT.unreachable,
    retryable: true,
    cause,
  });
}

function credentialOf(command: Command, preferred: 'key' | 'token'): string | undefined {
  const names = preferred === 'key' ? ['apiKey', 'token'] : ['token', 'apiKey'];
  const given = names.filter((name) => command.getOptionValueSource(name) === 'cli');
  if (given.length > 1) throw usageError(['--api-key and --token exclude each other']);
  const name = given[0] ?? names.find((each) => command.getOptionValue(each) !== undefined);
  if (name === undefined) return undefined;
  const credential = String(command.getOptionValue(name)).trim();
  if (CREDENTIAL.test(credential)) return credential;
  const option = name === 'apiKey' ? '--api-key' : '--token';
  throw usageError([`${option} is empty, or has characters that no HTTP header may have`]);
}

/** `fetch` reports only that it failed; the reason is in the cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { readonly cause?: Error; readonly message: string };
  return cause?.message || message;
}
