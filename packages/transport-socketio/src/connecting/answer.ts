import type { ServerResponse } from 'node:http';
import { retryAfter } from '@leque/core';
import type { ProtocolError } from '@leque/protocol';

/** Refuses a request with a problem document, and reads nothing more of its TCP connection. */
export function answer(response: ServerResponse, error: ProtocolError): void {
  const { status } = error;
  const headers = {
    connection: 'close',
    'content-type': 'application/problem+json',
    ...((status === 429 || status === 503) && { 'retry-after': retryAfter() }),
  };
  response.writeHead(status, headers).end(JSON.stringify(error.toProblem()));
}
