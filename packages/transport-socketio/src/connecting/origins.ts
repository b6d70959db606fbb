import type { IncomingMessage } from 'node:http';
import { assertOriginAllowed, reportRefusal, type TransportContext } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import type { Server } from 'socket.io';
import { TRANSPORT } from '../wire/socketio-format.ts';
import { type AnyResponse, refuse } from './answer.ts';
import { sidOf } from './requests.ts';

type Next = () => void;

/**
 * Refuses handshakes of pages that may not connect, WebSockets included: Socket.IO's `cors` option only hides
 * the answers to polling, and its `allowRequest` refuses upgrades with 400.
 */
export function refuseForeignPages(engine: Server['engine'], context: TransportContext): void {
  engine.use((request: IncomingMessage, response: AnyResponse, next: Next) => {
    const error = sidOf(request) === undefined ? refusalOf(request, context) : undefined;
    if (error === undefined) {
      next();
      return;
    }
    reportRefusal(context.telemetry, TRANSPORT, error);
    refuse(request, response, error);
  });
}

function refusalOf(request: IncomingMessage, context: TransportContext): ProtocolError | undefined {
  const { origin } = request.headers;
  try {
    assertOriginAllowed({ origin, names: context.addresses.namesOf(request) }, context);
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}
