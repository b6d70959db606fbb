import { suggestChannel, tryParseChannel } from '@leque/protocol';
import { RequestError } from '@leque/service';

/** The channels that a reading route accepts, as documentation and refusals name them. */
export const CHANNELS = 'all, logs, firehose, project:ID or user:ID';

/** @throws RequestError `invalid_request` that names the field `channel` */
export function checkChannel(channel: string): void {
  if (tryParseChannel(channel) !== undefined) return;
  const suggested = suggestChannel(channel);
  const how =
    suggested === undefined
      ? ''
      : `, with the id percent-encoded: ${suggested}, in a URL ${inUrl(suggested)}`;
  throw invalidField('channel', `must be ${CHANNELS}${how}`);
}

/** A URL encodes the percent signs of a channel's name once more. */
function inUrl(channel: string): string {
  return channel.replaceAll('%', '%25');
}

export function invalidField(field: string, message: string): RequestError {
  return RequestError.ofProblems('invalid_request', [{ field, message }]);
}
