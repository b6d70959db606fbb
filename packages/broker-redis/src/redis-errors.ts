import { ProtocolError } from '@leque/protocol';

/** Redis itself answered that it will not. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Another master of the Cluster has the slot of what was asked for, or is about to. */
export function isRedirection(error: unknown): error is Error {
  return isReply(error) && /^(MOVED|ASK) /.test(error.message);
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
