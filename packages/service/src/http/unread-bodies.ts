import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** A body of this size may be read to its end after the answer. */
const SMALL_BYTES = 65_536;

type Read = (this: IncomingMessage, bytes: number) => void;

/**
 * Answers `Expect: 100-continue` with `100 Continue` when the body begins to be read: by then the head was
 * accepted. So no client sends a body that is refused. Node itself sends `100 Continue` at once.
 */
export function inviteBodiesWhenRead(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const read = request._read as Read;
    request._read = function (bytes) {
      request._read = read;
      if (!response.headersSent) response.writeContinue();
      read.call(this, bytes);
    };
    server.emit('request', request, response);
  });
}

/**
 * Closes the connection after an answer to a request whose body was not read to its end. Node would
 * read the rest, however long it is, so that the next request can follow. Call it before any
 * listener that answers requests is added.
 */
export function closeAfterUnreadBodies(server: Server): void {
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!isLarge(request)) return;
    const { shouldKeepAlive } = response;
    response.shouldKeepAlive = false;
    request.once('end', () => {
      response.shouldKeepAlive = shouldKeepAlive;
    });
  });
}

/** A client that waits for `100 Continue` may send a body of any size, or none. */
function isLarge({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined || headers.expect !== undefined) return true;
  return Number(headers['content-length'] ?? 0) > SMALL_BYTES;
}
