import { once } from 'node:events';
import type { Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { answerNotFound } from '../answers/unknown-paths.ts';
import { createExtraServer } from './extra-server.ts';

/** Routes for operators; `/healthz` and `/readyz` are on every port, because they disclose nothing. */
const OPERATIONAL = /^\/(metrics|docs|openapi\.json|api\/(nodes|log-level|messages))(\/|$)/;
/** First parts of the paths that are served at that port at all. */
const SERVED = /^\/(metrics|docs|openapi\.json|api|healthz|readyz)(\/|\?|$)/;
const PROBES = /^\/(healthz|readyz)$/;

/** Serves operators' routes at a port of their own, and nowhere else. */
export class OperationsPort {
  readonly #app: FastifyInstance;
  readonly #server: Server;

  /** To be called before routes are added, because hooks concern later routes only. */
  constructor(app: FastifyInstance, basePath: string | undefined) {
    this.#app = app;
    this.#server = createExtraServer({ server: app.server, basePath }, (request, response) => {
      // Socket.IO takes its requests before any hook.
      if (SERVED.test(request.url ?? '')) app.server.emit('request', request, response);
      else answerNotFound(request, response);
    });
    this.#separate();
  }

  async listen(host: string, port: number): Promise<void> {
    await once(this.#server.listen({ host, port }), 'listening'); // rejects when the port is busy
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The route decides, and not the path, which may be written in several ways. */
  #separate(): void {
    this.#app.addHook('onRequest', async ({ routeOptions, socket }, reply) => {
      if (this.#isServed(routeOptions.url, socket.localPort)) return undefined;
      return reply.callNotFound();
    });
  }

  /** Unknown paths have no route, and their own answer. */
  #isServed(url: string | undefined, port: number | undefined): boolean {
    if (url === undefined || PROBES.test(url)) return true;
    return OPERATIONAL.test(url) === (port === portOf(this.#server));
  }
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' ? address?.port : undefined;
}
