import type { IncomingHttpHeaders } from 'node:http';
import {
  assertGrantsSuffice,
  assertRoomForUser,
  authorize,
  bearerToken,
  type Endpoint,
  type Identity,
  retryAfter,
  type TransportContext,
} from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { declineOffers } from './wire/deflate-format.ts';

const BEARER_PROTOCOL = /(?:^|,)\s*bearer\.([^\s,]+)/;

/**
 * Decides on an upgrade before it happens.
 * @param endpointOf called once the token is verified; may throw ProtocolError
 * @throws ProtocolError whose status refuses the request
 */
export async function authorizeUpgrade(
  request: FastifyRequest,
  endpointOf: () => Endpoint,
  context: TransportContext,
): Promise<Identity> {
  const query = request.query as { token?: string };
  const identity = await authorize(
    {
      origin: request.headers.origin,
      names: context.addresses.namesOf(request.raw),
      token: presentedToken(request.headers, query.token),
    },
    context,
  );
  assertGrantsSuffice(identity, endpointOf(), context);
  assertRoomForUser(identity, context);
  declineOffers(request.raw.headers);
  return identity;
}

/** @throws ProtocolError `upgrade_required` */
export function refuseOrdinaryRequest(): never {
  throw new ProtocolError(
    'upgrade_required',
    'this is a WebSocket; it takes a GET over HTTP/1.1 with `Connection: Upgrade` and ' +
      '`Upgrade: websocket`, which a proxy has to pass on',
  );
}

/** Answers a refused request with a problem document. */
export async function refuseRequest(reply: FastifyReply, error: ProtocolError): Promise<void> {
  if (error.status === 426)
    reply.header('upgrade', 'websocket').header('connection', 'upgrade, close');
  if (error.status === 401) reply.header('www-authenticate', 'Bearer');
  if (error.status === 503 || error.status === 429) reply.header('retry-after', retryAfter());
  await reply.code(error.status).type('application/problem+json').send(error.toProblem());
}

/** Browsers cannot set headers on a WebSocket: they pass the token as a subprotocol or in the query. */
export function presentedToken(
  headers: IncomingHttpHeaders,
  inQuery: string | null | undefined,
): string | undefined {
  return (
    bearerToken(headers.authorization) ??
    BEARER_PROTOCOL.exec(headers['sec-websocket-protocol'] ?? '')?.[1] ??
    (inQuery || undefined)
  );
}
