import {
  type ClusterState,
  type Connection,
  Hub,
  type HubOptions,
  type Identity,
  type Telemetry,
} from '@leque/core';
import { ChannelLog } from '../../src/broker/channel-log.ts';
import { RedisBroker } from '../../src/broker/redis-broker.ts';
import type { LibraryOptions } from '../../src/functions/function-library.ts';
import { ProbeCounts } from '../../src/link/probe-counts.ts';
import { SingleLink } from '../../src/link/single-link.ts';
import { GatewaySession, type Opening } from './gateway-session.ts';
import type { SimulatedProcess } from './scheduler.ts';
import { SimulatedConnection, type Surroundings } from './simulated-connection.ts';
import { PREFIX } from './simulated-redis.ts';

/** Redis refuses reads where the run says so; see `SimulatedRedis.refuseReads`. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('OOM');
}

/** Any value will do: the simulated Redis has limits of its own. */
const KEPT = { size: 1, ttlMs: 1 };
const LIMITS: LibraryOptions = {
  history: { project: KEPT, user: KEPT, all: KEPT },
  idempotencyTtlMs: 1,
  firehose: false,
  events: { maxBytes: 65_536, schemas: 'strict' },
};

/** The core and this package, composed as in a gateway, on simulated connections. */
export class SimulatedNode {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly hub: Hub;
  readonly sessions = new Set<GatewaySession>();
  /** The counts that the node has stated. */
  readonly stated = { connections: 0, subscribers: new Map<string, number>() };
  /** Bugs that the node has reported. */
  readonly failures: unknown[] = [];
  /** The connection for commands, then the one that subscribes. */
  readonly connections: SimulatedConnection[] = [];
  readonly telemetry: Telemetry = {
    report: (fact) => {
      if (fact.type === 'failure' && !isRefusal(fact.error)) this.failures.push(fact.error);
    },
  };
  readonly #around: Surroundings;
  readonly #link: SingleLink;
  readonly #broker: RedisBroker;

  constructor(name: string, limits: HubOptions, around: Surroundings) {
    this.name = name;
    this.#around = around;
    const clock = around.scheduler.startProcess();
    this.process = clock;
    const endpoint = () => {
      const connection = new SimulatedConnection(around, clock);
      this.connections.push(connection);
      return connection.asRedis;
    };
    const ports = { telemetry: this.telemetry, clock };
    this.#link = new SingleLink(
      { endpoint },
      {
        prefix: PREFIX,
        nodeId: name,
        limits: LIMITS,
        probes: new ProbeCounts(),
        ...ports,
      },
    );
    const log = new ChannelLog(this.#link, PREFIX, this.telemetry);
    this.#broker = new RedisBroker({
      link: this.#link,
      log,
      prefix: PREFIX,
      events: LIMITS.events,
      ...ports,
    });
    this.hub = new Hub({ broker: this.#broker, state: this.#state(), ...ports }, limits);
    void this.#broker.start(this.hub);
  }

  get steps(): number {
    return this.#around.scheduler.steps;
  }

  /** Why the node does not receive everything; undefined when it does. */
  get problem(): string | undefined {
    const health = this.#broker.health();
    if (!health.ok) return health.reason;
    return this.connections.some(({ paused }) => paused) ? 'deaf or late' : undefined;
  }

  accept(wire: Connection, identity: Identity, opening: Opening): GatewaySession {
    const session = new GatewaySession(this, wire, { identity, opening });
    this.sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    this.hub.close();
    await this.#broker.close();
    this.#link.close();
  }

  /** Ends the node as `kill -9` does: the system closes its connections. */
  kill(): void {
    for (const connection of this.connections) connection.disconnect();
    this.process.kill();
  }

  #state(): ClusterState {
    const { stated } = this;
    const stating: Partial<ClusterState> = {
      setConnections: (connections) => {
        stated.connections = connections;
      },
      setSubscribers: (channel, sessions) => {
        if (sessions > 0) stated.subscribers.set(channel, sessions);
        else stated.subscribers.delete(channel);
      },
      setUserConnections: () => {},
      addTotals: () => {},
    };
    return stating as ClusterState;
  }
}
