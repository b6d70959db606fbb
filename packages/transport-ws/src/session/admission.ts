import { anonymous, bearerToken, type Identity, isOriginAllowed } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import type { FastifyRequest } from 'fastify';
import type { WsContext } from './context.ts';
import type { Endpoint } from './endpoint.ts';

const BEARER_PROTOCOL = /(?:^|,)\s*bearer\.([^\s,]+)/;

/**
 * Decides on an upgrade before it happens.
 * @throws ProtocolError whose status refuses it
 */
export async function admit(request: FastifyRequest, context: WsContext): Promise<Identity> {
  const { origin, host } = request.headers;
  if (!isOriginAllowed(context.origins, origin, host)) {
    throw new ProtocolError('origin_forbidden', `origin ${origin} is not allowed`);
  }
  const token = tokenOf(request);
  if (token !== undefined) return context.verifier.verify(token);
  if (!context.authRequired) return anonymous();
  throw new ProtocolError(
    'token_missing',
    'a token is required: Authorization: Bearer, or ?token=',
  );
}

/**
 * Whether a token is enough, and not too much, for what the endpoint gives without asking.
 * @throws ProtocolError `forbidden`, `too_many_subscriptions`
 */
export function assertSuffices(
  identity: Identity,
  endpoint: Endpoint,
  { limits: { maxSubscriptions } }: WsContext,
): void {
  const channels = endpoint.channels(identity);
  const forbidden = channels.find((channel) => !identity.grants.covers(channel));
  if (forbidden !== undefined) {
    throw new ProtocolError('forbidden', `this token does not allow ${forbidden}`);
  }
  if (channels.length > maxSubscriptions) {
    const detail = `this token leads to ${channels.length} channels, a session has at most ${maxSubscriptions}`;
    throw new ProtocolError('too_many_subscriptions', detail);
  }
}

/** Browsers cannot set headers on a WebSocket: they pass it as a subprotocol or in the query. */
function tokenOf({ headers, query }: FastifyRequest): string | undefined {
  const { token } = query as { token?: string };
  return (
    bearerToken(headers.authorization) ??
    BEARER_PROTOCOL.exec(headers['sec-websocket-protocol'] ?? '')?.[1] ??
    (token || undefined)
  );
}
