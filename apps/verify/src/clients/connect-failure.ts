/** Engine.IO's answer to the id of a session that it does not hold. */
const UNKNOWN_SESSION = 'Session ID unknown';
const NEEDS_STICKINESS =
  'HTTP polling needs a load balancer that sends all requests of a client to the same gateway';

/** The error of Engine.IO's client when an HTTP request fails; other errors lack these fields. */
interface TransportError extends Error {
  readonly description?: unknown;
  readonly context?: { readonly responseText?: unknown };
}

/** Why the official Socket.IO client could not connect, for a person who operates the system. */
export function describeConnectFailure(error: TransportError): string {
  const { message, description, context } = error;
  if (typeof description !== 'number' || description === 0) return message;
  const answer = messageIn(context?.responseText);
  const text = `${message}, HTTP ${description}${answer === '' ? '' : ` "${answer}"`}`;
  return answer === UNKNOWN_SESSION ? `${text}: ${NEEDS_STICKINESS}` : text;
}

/** The message of Engine.IO's JSON answers; any other answer as it is. */
function messageIn(body: unknown): string {
  if (typeof body !== 'string') return '';
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown };
    return typeof message === 'string' ? message : body;
  } catch {
    return body;
  }
}
