import { MAX_CURSORS, ProtocolError } from '@leque/protocol';

/**
 * `auth.cursors`: by channel, what the client has seen; anything else is ignored.
 * @throws ProtocolError for more than a resume may have, as none is dropped silently (GAP)
 */
export function cursorsOf(auth: Record<string, unknown>): Record<string, string> {
  const cursors = auth['cursors'];
  if (typeof cursors !== 'object' || cursors === null) return {};
  const pairs = Object.entries(cursors).filter((pair) => typeof pair[1] === 'string');
  if (pairs.length <= MAX_CURSORS) return Object.fromEntries(pairs);
  throw new ProtocolError('invalid_command', `auth.cursors has more than ${MAX_CURSORS} cursors`);
}
