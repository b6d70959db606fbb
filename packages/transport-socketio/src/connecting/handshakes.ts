import type { IncomingMessage, ServerResponse } from 'node:http';
import { admitHandshake, refuseUpgrade, retryAfter, type TransportContext } from '@leque/core';
import type { ProtocolError } from '@leque/protocol';
import type { Server } from 'socket.io';
import { TRANSPORT } from '../wire/socketio-format.ts';

type Next = () => void;

/**
 * Lets handshakes wait until they are admitted. Engine.IO itself can refuse with 403 only, after
 * which a client has no reason to come back.
 */
export function paceHandshakes(engine: Server['engine'], context: TransportContext): void {
  engine.use((request: IncomingMessage, response: ServerResponse, next: Next) => {
    if (isKnown(request)) {
      next();
      return;
    }
    const refuse = (error: ProtocolError) => {
      if (request.headers.upgrade === undefined) answer(response, error);
      else refuseUpgrade(request.socket, error);
    };
    const handshake = { transport: TRANSPORT, socket: request.socket, proceed: next, refuse };
    void admitHandshake(handshake, context);
  });
}

/** Whether the request names a connection that was admitted; Engine.IO refuses unknown names. */
function isKnown(request: IncomingMessage): boolean {
  const { _query } = request as { _query?: { sid?: string } };
  return Boolean(_query?.sid);
}

function answer(response: ServerResponse, error: ProtocolError): void {
  const headers = {
    connection: 'close',
    'content-type': 'application/problem+json',
    'retry-after': retryAfter(),
  };
  response.writeHead(error.status, headers).end(JSON.stringify(error.toProblem()));
}
