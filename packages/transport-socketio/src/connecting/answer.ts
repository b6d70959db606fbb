import { type IncomingMessage, ServerResponse } from 'node:http';
import { refuseUpgrade, retryAfter } from '@leque/core';
import type { ProtocolError } from '@leque/protocol';

/** The response of an ordinary request, or the one that Engine.IO makes up for an upgrade. */
export type AnyResponse = ServerResponse | object;

/** Whether Node has taken the request for an upgrade; others may have the header, which is ignored. */
export function isUpgrade(response: AnyResponse): boolean {
  return !(response instanceof ServerResponse);
}

/** Refuses an upgrade or an ordinary request. */
export function refuse(
  request: IncomingMessage,
  response: AnyResponse,
  error: ProtocolError,
): void {
  if (response instanceof ServerResponse) answer(response, error);
  else refuseUpgrade(request.socket, error);
}

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
