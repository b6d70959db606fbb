import fastify, { type FastifyInstance, LogController } from 'fastify';
import { httpOptions } from './http-options.ts';
import { LOG_OPTIONS } from './log-options.ts';
import { RequestLogger, type ServerLogger } from './request-logger.ts';
import { addSecurityHeaders } from './security-headers.ts';
import { SERVER_OPTIONS } from './server-options.ts';

/** Requests that are still open this long after the server began to close are cut. */
const CLOSE_TIMEOUT_MS = 3_000;

export interface AppServerOptions {
  readonly logLevel: string;
  readonly nodeId: string;
  /** The path under which a proxy passes on requests; undefined for none. */
  readonly basePath: string | undefined;
}

/** The HTTP server of a process; log lines carry the node's id. */
export function createServer({ logLevel, nodeId, basePath }: AppServerOptions): FastifyInstance {
  const app = fastify({
    ...SERVER_OPTIONS,
    http: httpOptions(basePath),
    logger: { level: logLevel, base: { node: nodeId }, ...LOG_OPTIONS },
    // Fastify's own log of requests has addresses, which may contain tokens.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (log, bindings, options) =>
      // A route may have options of its own, such as a level.
      Object.keys(options).length === 0
        ? new RequestLogger(log as ServerLogger, bindings)
        : log.child(bindings, options),
    forceCloseConnections: 'idle',
  });
  addSecurityHeaders(app);
  return app;
}

/** Answers the requests under way, and cuts what is still open after a moment. */
export async function closeServer(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_TIMEOUT_MS);
  await app.close();
  clearTimeout(cut);
}
