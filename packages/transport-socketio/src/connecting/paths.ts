import type { IncomingMessage } from 'node:http';
import { ProtocolError } from '@leque/protocol';
import type { Server } from 'socket.io';
import { type AnyResponse, isUpgrade, refuse } from './answer.ts';

type Next = () => void;

interface Served {
  /** The one path of Socket.IO, which may lack its last slash; Engine.IO itself takes all that begin so. */
  readonly path: string;
  /** Whether revision 3 of Engine.IO is served. */
  readonly engineIo3: boolean;
}

/**
 * Refuses other paths, JSONP, and upgrades that lead to no WebSocket, by an HTTP answer. Engine.IO would
 * upgrade the last ones first, and close them then.
 */
export function refuseOthers(engine: Server['engine'], served: Served): void {
  engine.use((request: IncomingMessage, response: AnyResponse, next: Next) => {
    const error = refusalOf(request, isUpgrade(response), served);
    if (error === undefined) next();
    else refuse(request, response, error);
  });
}

function refusalOf(
  { url = '' }: IncomingMessage,
  upgrades: boolean,
  served: Served,
): ProtocolError | undefined {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  if (pathname !== served.path && `${pathname}/` !== served.path) {
    return new ProtocolError('not_found', 'there is nothing at this path');
  }
  if (searchParams.get('EIO') !== '4' && !served.engineIo3) {
    const detail = 'Unsupported protocol version: Socket.IO 2 (EIO=3) takes SOCKETIO_EIO3=on';
    return new ProtocolError('invalid_command', detail);
  }
  if (!upgrades) return refusalOfPolling(searchParams);
  if (searchParams.get('transport') !== 'websocket') {
    return new ProtocolError('not_found', 'only transport=websocket takes upgrades');
  }
  return undefined;
}

/**
 * Refuses JSONP: its bodies are decoded behind the gate that counts packets, and a page of any origin
 * can send its requests without an `Origin` header.
 */
function refusalOfPolling(query: URLSearchParams): ProtocolError | undefined {
  if (!query.has('j')) return undefined;
  return new ProtocolError('invalid_command', 'JSONP (`j` in the query) is not served');
}
