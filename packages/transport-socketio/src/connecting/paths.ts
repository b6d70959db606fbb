import type { IncomingMessage, ServerResponse } from 'node:http';
import { refuseUpgrade } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import type { Server } from 'socket.io';
import { answer } from './answer.ts';

type Next = () => void;

interface Served {
  /** The one path of Socket.IO; Engine.IO itself takes everything beneath it. */
  readonly path: string;
  /** Whether revision 3 of Engine.IO is served. */
  readonly engineIo3: boolean;
}

/**
 * Refuses other paths, JSONP, and upgrades that lead to no WebSocket, by an HTTP answer. Engine.IO would
 * upgrade the last ones first, and close them then.
 */
export function refuseOthers(engine: Server['engine'], served: Served): void {
  engine.use((request: IncomingMessage, response: ServerResponse, next: Next) => {
    const error = refusalOf(request, served);
    if (error === undefined) next();
    else if (request.headers.upgrade !== undefined) refuseUpgrade(request.socket, error);
    else answer(response, error);
  });
}

function refusalOf(request: IncomingMessage, served: Served): ProtocolError | undefined {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  if (pathname !== served.path)
    return new ProtocolError('not_found', 'there is nothing at this path');
  if (request.headers.upgrade === undefined) return refusalOfPolling(searchParams);
  if (searchParams.get('transport') !== 'websocket') {
    return new ProtocolError('not_found', 'only transport=websocket takes upgrades');
  }
  const isServed = searchParams.get('EIO') === '4' || served.engineIo3;
  return isServed
    ? undefined
    : new ProtocolError('invalid_command', 'Unsupported protocol version');
}

/**
 * Refuses JSONP: its bodies are decoded behind the gate that counts packets, and a page of any origin
 * can send its requests without an `Origin` header.
 */
function refusalOfPolling(query: URLSearchParams): ProtocolError | undefined {
  if (!query.has('j')) return undefined;
  return new ProtocolError('invalid_command', 'JSONP (`j` in the query) is not served');
}
