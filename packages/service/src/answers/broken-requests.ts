import { type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Telemetry } from '@leque/core';
import { problemOf, RequestError } from './problem.ts';

/** Errors of Node's parser with their answers; all others are answered with 400. */
const ANSWERS: Readonly<Record<string, RequestError>> = {
  HPE_HEADER_OVERFLOW: new RequestError(
    'header_too_large',
    'the path and the headers are too long; the cookies of a page and a token count as well',
  ),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: new RequestError(
    'payload_too_large',
    'the extensions of a chunk are too long',
  ),
  ERR_HTTP_REQUEST_TIMEOUT: new RequestError(
    'request_timeout',
    'the request did not arrive completely in time',
  ),
};
const MALFORMED = new RequestError('invalid_request', 'this is not an HTTP/1.1 request');

/** Connections that end by themselves are nobody's request. */
const GONE = 'ECONNRESET';

/** Answers bytes that Node's parser refuses, for which there is no request and no response. */
export function answerBrokenRequest({ code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
  if (code === GONE || socket.destroyed) return;
  const problem = problemOf(answerTo(code));
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy();
}

/** Reports requests that Node refuses before there is a request: no hook and no route sees them. */
export function reportBrokenRequests(server: Server, telemetry: Telemetry): void {
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException) => {
    if (code === GONE) return;
    telemetry.report({ type: 'request_broken', status: problemOf(answerTo(code)).status });
  });
}

function answerTo(code: string): RequestError {
  return ANSWERS[code] ?? MALFORMED;
}
