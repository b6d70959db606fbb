import type { IncomingMessage, Server, ServerOptions } from 'node:http';
import { requestsBeneath } from './base-path.ts';
import { REQUEST_LIMITS } from './request-limits.ts';

/** Options of Node for every HTTP server of a process. */
export const HTTP_OPTIONS = {
  ...REQUEST_LIMITS.http,
  /** All other upgrades are ignored: the request is answered as an ordinary one (RFC 9110, 7.8). */
  shouldUpgradeCallback(this: Server, request: IncomingMessage): boolean {
    return this.listenerCount('upgrade') > 0 && isWebSocketUpgrade(request);
  },
};

/** The options for servers whose proxy passes on a base path; undefined for none. */
export function httpOptions(basePath: string | undefined): ServerOptions {
  if (basePath === undefined) return HTTP_OPTIONS;
  return { ...HTTP_OPTIONS, IncomingMessage: requestsBeneath(basePath) };
}

/** Whether a request that Node takes for an upgrade can lead to a WebSocket (RFC 6455, 4.1). */
function isWebSocketUpgrade({ method, httpVersion, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers.host !== undefined &&
    headers['transfer-encoding'] === undefined &&
    Number(headers['content-length'] ?? 0) === 0
  );
}
