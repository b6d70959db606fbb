import type { Server } from 'node:http';
import type { Telemetry } from '@leque/core';

/** Errors of Node's parser with the status of its answer; all others are answered with 400. */
const STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Connections that end by themselves are nobody's request. */
const GONE = 'ECONNRESET';

/** Reports requests that Node refuses before there is a request: no hook and no route sees them. */
export function reportBrokenRequests(server: Server, telemetry: Telemetry): void {
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException) => {
    if (code !== GONE) telemetry.report({ type: 'request_broken', status: STATUS[code] ?? 400 });
  });
}
