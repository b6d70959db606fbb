import type { Broker, Telemetry } from '@leque/core';
import type { FastifyInstance } from 'fastify';
import { endConnectionsWhile } from './end-connections.ts';

/** Anybody may ask for the readiness; addresses and the words of Redis are for the log. */
const BROKER_PROBLEM = 'the broker is away or refuses; the log of this process says why';

interface AskedRole {
  unreadiness?(): readonly string[];
}

/** Whether this process should get new traffic. */
export class Readiness {
  readonly #broker: Pick<Broker, 'health'>;
  readonly #telemetry: Telemetry;
  #roles: readonly AskedRole[] = [];
  #phase: 'serving' | 'leaving' = 'serving';
  #reported: string | undefined;

  constructor(broker: Pick<Broker, 'health'>, telemetry: Telemetry) {
    this.#broker = broker;
    this.#telemetry = telemetry;
  }

  /** Asks these, too, whether the process should get new traffic. */
  ask(roles: readonly AskedRole[]): void {
    this.#roles = roles;
  }

  /** Reports `draining` from now on, because the process is about to end; the grace begins. */
  failBeforeEnd(): void {
    this.#phase = 'leaving';
  }

  /** The reasons against new traffic; empty when the process is ready. */
  readonly problems = (): string[] => {
    const health = this.#broker.health();
    this.#report(health.ok ? undefined : health.reason);
    return [
      ...(this.#phase === 'leaving' ? ['draining'] : []),
      ...(health.ok ? [] : [BROKER_PROBLEM]),
      ...this.#roles.flatMap((role) => role.unreadiness?.() ?? []),
    ];
  };

  /** Reports each reason once, not with each question. */
  #report(detail: string | undefined): void {
    if (detail !== undefined && detail !== this.#reported) {
      this.#telemetry.report({ type: 'not_ready', detail });
    }
    this.#reported = detail;
  }

  /** Ends connections with their next answer while leaving: clients reconnect before the cut. */
  endConnections(app: FastifyInstance): void {
    endConnectionsWhile(app, () => this.#phase === 'leaving');
  }
}
