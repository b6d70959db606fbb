import { MAX_CURSORS, ProtocolError } from '@leque/protocol';

/**
 * Reads `auth.cursors`: by channel, the last cursor that the client has seen. Values that are no
 * strings are ignored.
 * @throws ProtocolError for more cursors than a resume may have; none is dropped silently (GAP)
 */
export function cursorsOf(auth: Record<string, unknown>): Record<string, string> {
  const cursors = auth['cursors'];
  if (typeof cursors !== 'object' || cursors === null) return {};
  const pairs = Object.entries(cursors).filter((pair) => typeof pair[1] === 'string');
  if (pairs.length <= MAX_CURSORS) return Object.fromEntries(pairs);
  throw new ProtocolError('invalid_command', `auth.cursors has more than ${MAX_CURSORS} cursors`);
}
