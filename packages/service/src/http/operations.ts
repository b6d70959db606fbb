import type { FastifyInstance } from 'fastify';

export interface Metrics {
  readonly contentType: string;
  /** The metrics as Prometheus reads them. */
  render(): Promise<string>;
}

export interface Operations {
  /** Why this process should get no new traffic now; empty when it should. */
  readonly unreadiness: () => readonly string[];
  readonly metrics: Metrics;
}

/** `/healthz`, `/readyz` and `/metrics`, which every process has. */
export function registerOperations(app: FastifyInstance, operations: Operations): void {
  const hidden = { schema: { hide: true } as object };
  // Alive means that this answers. Redis may be away; killing this process would not bring it back.
  app.get('/healthz', hidden, () => ({ status: 'ok' }));
  app.get('/readyz', hidden, async (_request, reply) => {
    const reasons = operations.unreadiness();
    if (reasons.length === 0) return { status: 'ready' };
    return reply.code(503).send({ status: 'not ready', reasons });
  });
  app.get('/metrics', hidden, async (_request, reply) => {
    const { metrics } = operations;
    return reply.type(metrics.contentType).send(await metrics.render());
  });
}
