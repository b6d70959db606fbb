import { MAX_CURSORS, ProtocolError } from '@leque/protocol';

/**
 * Reads `auth.cursors`: by channel, the last cursor that the client has seen. The value is an object, or its
 * JSON text from clients whose `auth` can hold only texts.
 * @throws ProtocolError for any other value, and for more cursors than a resume may have, because a
 *   dropped cursor would hide a gap (GAP)
 */
export function cursorsOf(auth: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = auth['cursors'];
  if (given === undefined || given === null || given === '') return {};
  const pairs = Object.entries(typeof given === 'string' ? parseJson(given) : asObject(given));
  if (pairs.length > MAX_CURSORS) throw refusal(`has more than ${MAX_CURSORS} cursors`);
  const [channel] = pairs.find(([, cursor]) => typeof cursor !== 'string') ?? [];
  if (channel !== undefined) throw refusal(`has no text for ${JSON.stringify(channel)}`);
  return Object.fromEntries(pairs) as Record<string, string>;
}

function parseJson(text: string): object {
  try {
    return asObject(JSON.parse(text));
  } catch {
    throw refusal('is neither an object nor the JSON text of one');
  }
}

function asObject(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw refusal('is neither an object nor the JSON text of one');
}

function refusal(problem: string): ProtocolError {
  return new ProtocolError('invalid_command', `auth.cursors ${problem}`);
}
