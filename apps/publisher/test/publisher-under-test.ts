import {
  createGrantSigner,
  createJwtVerifier,
  signToken,
  type VerifierSettings,
} from '@leque/auth-jwt';
import {
  MemoryBroker,
  MemoryCluster,
  MemoryClusterState,
  MemoryControl,
  MemoryStore,
} from '@leque/broker-memory';
import {
  type Broker,
  type Clock,
  type ClusterState,
  type Control,
  type Fact,
  type Scope,
  systemClock,
  type Tracing,
} from '@leque/core';
import {
  type ClientAddresses,
  closeAfterUnreadBodies,
  registerNotFound,
  SERVER_OPTIONS,
} from '@leque/service';
import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify';
import { createPublisherApp, newPublishCounters, type PublisherPolicy } from '../src/index.ts';

const history = { size: 1000, ttlMs: 60_000 };
export const secret = 'a secret of thirty-two characters';

export const openPolicy: PublisherPolicy = {
  authMode: 'open',
  apiKeys: ['a-key', 'another-key'],
  origins: { allowed: ['https://app.test'], loopback: true, hosts: ['*'] },
  docs: true,
  firehose: true,
  unaddressed: 'all',
  schemas: 'strict',
  journal: { entries: 100, ttlMs: 60_000 },
  rates: { key: 0, user: 0, address: 0 },
  wrongCredentialsPerMinute: 0,
  historyReads: 4,
  limits: {
    maxEventBytes: 1_000,
    maxBatchBytes: 1_000_000,
    answerWithinMs: 200,
    trustTraceparent: 'keys',
  },
};
export const strictPolicy: PublisherPolicy = {
  ...openPolicy,
  authMode: 'required',
  unaddressed: 'refuse',
};

/** The publisher's plugin on a server of its own, beside the memory broker. */
export class PublisherUnderTest implements AsyncDisposable {
  readonly facts: Fact[] = [];
  readonly counters = newPublishCounters();
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly control: Control;
  readonly app: FastifyInstance;

  constructor(
    policy: PublisherPolicy = openPolicy,
    parts: {
      broker?: Broker;
      clock?: Clock;
      tracing?: Tracing;
      addresses?: ClientAddresses;
      keys?: VerifierSettings;
    } = {},
  ) {
    this.broker =
      parts.broker ??
      new MemoryBroker(
        new MemoryStore({
          history: { project: history, user: history, all: history },
          idempotencyTtlMs: 60_000,
          firehose: true,
        }),
      );
    this.state = new MemoryClusterState(new MemoryCluster());
    this.control = new MemoryControl('publisher');
    this.app = Fastify(SERVER_OPTIONS);
    registerNotFound(this.app);
    closeAfterUnreadBodies(this.app.server);
    this.app.register(
      createPublisherApp({
        broker: this.broker,
        state: this.state,
        control: this.control,
        clock: parts.clock ?? systemClock,
        tracing: parts.tracing,
        ...(parts.addresses && { addresses: parts.addresses }),
        verifier: createJwtVerifier({ JWT_SECRET: secret }),
        grantSigner: createGrantSigner(parts.keys ?? { JWT_SECRET: secret }),
        telemetry: { report: (fact) => this.facts.push(fact) },
        policy,
        counters: this.counters,
      }),
    );
  }

  async get(url: string, headers: Record<string, string> = {}) {
    return this.#inject({ method: 'GET', url, headers });
  }

  async post(url: string, body: unknown, headers: Record<string, string> = {}) {
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return this.#inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...headers },
      body: text,
    });
  }

  async #inject(options: InjectOptions) {
    const { statusCode: status, headers, body } = await this.app.inject(options);
    const isJson = /json/.test(String(headers['content-type']));
    return { status, headers, text: body, json: isJson ? JSON.parse(body) : undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}

export async function bearer(
  scopes: readonly Scope[],
  projects: readonly string[] = [],
  userId = 'alice',
) {
  const token = await signToken({
    secret,
    userId,
    projects,
    scopes,
    expiresInSeconds: 60,
  });
  return { authorization: `Bearer ${token}` };
}

export const notification = {
  event_type: 'notification',
  data: { title: 'Aviso', message: 'Manutencao em 5 minutos' },
  project_id: 'PROJ-001',
};
