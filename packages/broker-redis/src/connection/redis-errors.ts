import { ProtocolError } from '@leque/protocol';

/** Redis itself answered that it will not. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** What the servers of a Cluster say where a slot is not, or not yet. Nothing was done then. */
export interface Redirection {
  /** MOVED: another one has it; ASK: another one is about to; TRYAGAIN: it is on its way. */
  readonly kind: 'MOVED' | 'ASK' | 'TRYAGAIN';
  /** `HOST:PORT` of the other; without a host when it is the one that was asked. */
  readonly address: string | undefined;
}

const REDIRECTION = /^(?<kind>MOVED|ASK|TRYAGAIN)\b(?: \d+ (?<address>\S*:\d+))?/;

export function redirectionOf(error: unknown): Redirection | undefined {
  if (!isReply(error)) return undefined;
  const { kind, address } = REDIRECTION.exec(error.message)?.groups ?? {};
  return kind === undefined ? undefined : { kind: kind as Redirection['kind'], address };
}

/** What a failed read means to its caller, who may simply try again. */
export function unavailable(cause: unknown): ProtocolError {
  if (cause instanceof ProtocolError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  const reason = isReply(cause) ? `Redis refused: ${detail}` : `Redis is away: ${detail}`;
  return new ProtocolError('unavailable', reason, { cause });
}

/** What a failed write means: without a reply, only a command that was never sent has no effect. */
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

/** ioredis has no codes for these; this is what it says when it does not queue a command. */
function wasSent(error: unknown): boolean {
  return !(error instanceof Error && error.message.startsWith("Stream isn't writeable"));
}
