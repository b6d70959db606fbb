import { MAX_GRANTS, MAX_TOKEN_LENGTH, ProtocolError } from '@leque/protocol';

/**
 * Reads `auth.grants`: a list of grants, or its JSON text from clients whose `auth` can hold only texts.
 * Each grant counts once.
 * @throws ProtocolError for any other value, because a room whose grant was dropped would stay silent
 */
export function presentedGrants(auth: Readonly<Record<string, unknown>>): readonly string[] {
  const given = auth['grants'];
  if (given === undefined || given === null || given === '') return [];
  const grants = typeof given === 'string' ? tryParseJson(given) : given;
  if (!Array.isArray(grants)) throw refusal('is neither a list nor the JSON text of one');
  if (grants.length > MAX_GRANTS) throw refusal(`has more than ${MAX_GRANTS} grants`);
  if (!grants.every(isText)) throw refusal('has an entry that is no grant');
  return [...new Set(grants)];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TOKEN_LENGTH;
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(problem: string): ProtocolError {
  return new ProtocolError('invalid_command', `auth.grants ${problem}`);
}
