import { MAX_CURSORS, ProtocolError } from '@leque/protocol';

/**
 * Reads `auth.cursors`: by channel, the last cursor that the client has seen; as an object, or as its
 * JSON text from clients whose `auth` holds texts only.
 * @throws ProtocolError for anything else, and for more cursors than a resume may have; none is
 *   dropped silently (GAP)
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
