import { tryParseChannel } from '@leque/protocol';
import { RequestError } from '@leque/service';

/** The channels that a reading route accepts, as documentation and refusals name them. */
export const CHANNELS = 'all, logs, firehose, project:ID or user:ID';

/** @throws RequestError `invalid_request` that names the field `channel` */
export function checkChannel(channel: string): void {
  if (tryParseChannel(channel) === undefined) throw invalidField('channel', `must be ${CHANNELS}`);
}

export function invalidField(field: string, message: string): RequestError {
  return RequestError.ofProblems('invalid_request', [{ field, message }]);
}
