import type { Broker } from '@leque/core';
import type { FastifyInstance } from 'fastify';

/** Whether this process should get new traffic. */
export class Readiness {
  readonly #broker: Pick<Broker, 'health'>;
  #phase: 'serving' | 'leaving' = 'serving';

  constructor(broker: Pick<Broker, 'health'>) {
    this.#broker = broker;
  }

  /** Reports `draining` from now on, because the process is about to end; the grace begins. */
  failBeforeEnd(): void {
    this.#phase = 'leaving';
  }

  /** The reasons against new traffic; empty when the process is ready. */
  readonly problems = (): string[] => {
    const health = this.#broker.health();
    return [
      ...(this.#phase === 'leaving' ? ['draining'] : []),
      ...(health.ok ? [] : [health.reason]),
    ];
  };

  /** Ends connections with their next answer while leaving: clients reconnect before the cut. */
  endConnections(app: FastifyInstance): void {
    app.addHook('onSend', async (_request, reply) => {
      if (this.#phase === 'leaving') reply.header('connection', 'close');
    });
  }
}
