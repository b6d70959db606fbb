import { ProtocolError } from '@leque/protocol';

/** Whether `error` is an answer of Redis, and not a failure of the connection. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** The answer of a server in a Redis Cluster that does not have a slot; it has done nothing. */
export interface Redirection {
  /** MOVED: another server has the slot; ASK: another is importing it; TRYAGAIN: it is moving. */
  readonly kind: 'MOVED' | 'ASK' | 'TRYAGAIN';
  /** `HOST:PORT` of the other server; `:PORT` when its host is that of the server asked. */
  readonly address: string | undefined;
}

const REDIRECTION = /^(?<kind>MOVED|ASK|TRYAGAIN)\b(?: \d+ (?<address>\S*:\d+))?/;

export function redirectionOf(error: unknown): Redirection | undefined {
  if (!isReply(error)) return undefined;
  const { kind, address } = REDIRECTION.exec(error.message)?.groups ?? {};
  return kind === undefined ? undefined : { kind: kind as Redirection['kind'], address };
}

/**
 * Turns the failure of a read into an error for its caller, who may simply try again. Its message is
 * for any client; the words of Redis, which may hold keys and addresses, are in its cause.
 */
export function unavailable(cause: unknown): ProtocolError {
  if (cause instanceof ProtocolError) return cause;
  const reason = isReply(cause) ? 'Redis refuses this now' : 'Redis is away';
  return new ProtocolError('unavailable', `${reason}; try again later`, { cause });
}

/** Redis's answer when a key has another type, or an entry another form, than Leque gives them. */
const SPOILT = /^WRONGTYPE|@user_function/;

/**
 * Turns the failure of reading a history into an error for its caller: `internal` when another
 * program has spoilt what is stored, so that trying again is of no use.
 */
export function readFailure(cause: unknown): ProtocolError {
  const isSpoilt = cause instanceof TypeError || (isReply(cause) && SPOILT.test(cause.message));
  if (!isSpoilt) return unavailable(cause);
  return new ProtocolError('internal', 'the history of this channel cannot be read', { cause });
}

/**
 * Turns the failure of a write into an error for its caller. Without a reply, only a command that
 * was never sent is known to have no effect.
 */
export function writeFailure(cause: unknown): ProtocolError {
  if (cause instanceof ProtocolError || isReply(cause) || !wasSent(cause)) {
    return unavailable(cause);
  }
  return new ProtocolError(
    'outcome_unknown',
    'Redis did not answer in time, so this may or may not be stored; ' +
      'trying again is safe with the same idempotency key',
    { cause },
  );
}

/** ioredis has no code for a command that it has not sent, only this text. */
function wasSent(error: unknown): boolean {
  return !(error instanceof Error && error.message.startsWith("Stream isn't writeable"));
}
