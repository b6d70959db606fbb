import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProtocolError } from '@leque/protocol';
import type { Server } from 'socket.io';
import { type AnyResponse, isUpgrade, refuse } from './answer.ts';

type Next = () => void;

/** Engine.IO's code for a wrong revision. */
const UNSUPPORTED_VERSION = 5;
const REVISION_3 = 'Unsupported protocol version: Socket.IO 2 (EIO=3) takes SOCKETIO_EIO3=on';

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
    const upgrades = isUpgrade(response);
    const error = refusalOf(request, upgrades, served);
    if (error === undefined) next();
    else if (!upgrades && error.message === REVISION_3) refuseRevision(response as ServerResponse);
    else refuse(request, response, error);
  });
}

/** Answers as Engine.IO does. */
function refuseRevision(response: ServerResponse): void {
  const body = JSON.stringify({ code: UNSUPPORTED_VERSION, message: REVISION_3 });
  response.writeHead(400, { 'content-type': 'application/json' }).end(body);
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
    return new ProtocolError('invalid_command', REVISION_3);
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
