import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { createGrantSigner, signToken } from '@leque/auth-jwt';
import {
  MemoryBroker,
  MemoryCluster,
  MemoryClusterState,
  MemoryControl,
  MemoryStore,
} from '@leque/broker-memory';
import { type Broker, type Hub, type Scope, systemClock } from '@leque/core';
import { type EventInput, tryParseEvent } from '@leque/protocol';
import { readConfig, registerNotFound, SERVER_OPTIONS } from '@leque/service';
import { RecordingTelemetry } from '@leque/testkit/fakes';
import fastify, { type FastifyInstance } from 'fastify';
import { createGateway, type Gateway, type GatewayDeps, GatewaySettings } from '../../src/index.ts';

const SECRET = 'a secret for tests, long enough for it';
const HISTORY = { size: 1000, ttlMs: 60_000 };

export interface GatewayUnderTest extends AsyncDisposable {
  readonly url: string;
  readonly hub: Hub;
  readonly broker: Broker;
  readonly telemetry: RecordingTelemetry;
  publish(event: EventInput): Promise<void>;
  unreadiness(): readonly string[];
  /** The number of open TCP connections. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a gateway in this process with real sockets, on a memory broker unless `parts` has another. */
export async function startGateway(
  env: Record<string, string> = {},
  parts: Partial<GatewayDeps> = {},
): Promise<GatewayUnderTest> {
  const settings = readConfig(GatewaySettings, {
    JWT_SECRET: SECRET,
    DRAIN_GRACE: '0',
    DRAIN_TIMEOUT: '0',
    ...env,
  });
  const app = fastify({ ...SERVER_OPTIONS, forceCloseConnections: true });
  registerNotFound(app);
  const telemetry = new RecordingTelemetry();
  const all: GatewayDeps = {
    broker: new MemoryBroker(new MemoryStore(memoryLimits())),
    state: new MemoryClusterState(new MemoryCluster()),
    control: new MemoryControl('test'),
    telemetry,
    clock: systemClock,
    settings,
    nodeId: 'test',
    authentications: {},
    socketIoAdapter: undefined,
    ...parts,
  };
  const gateway = await createGateway(app, all);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= stopAll(gateway, app, all);
    return stopped;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    hub: gateway.hub,
    broker: all.broker,
    telemetry,
    publish: (event) => publish(all.broker, event),
    unreadiness: gateway.unreadiness,
    connections: promisify(app.server.getConnections.bind(app.server)),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function stopAll(gateway: Gateway, app: FastifyInstance, parts: GatewayDeps) {
  await gateway.drain();
  await app.close();
  await parts.state.close();
  await parts.broker.close();
}

export function tokenFor(
  userId: string,
  claims: { projects?: string[]; scopes?: Scope[]; expiresInSeconds?: number } = {},
): Promise<string> {
  const { projects = [], scopes = [], expiresInSeconds = 60 } = claims;
  return signToken({ secret: SECRET, userId, projects, scopes, expiresInSeconds });
}

/** @param expiresAt milliseconds since the Unix epoch */
export async function grantFor(
  userId: string,
  project: string,
  expiresAt: number,
): Promise<string> {
  const signer = createGrantSigner({ JWT_SECRET: SECRET });
  return String(await signer?.sign({ userId, projects: [project], expiresAt }));
}

async function publish(broker: Broker, input: EventInput): Promise<void> {
  const parsed = tryParseEvent(input, { unaddressed: 'all', schemas: 'strict' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await broker.publish(parsed.event);
}

export function memoryLimits() {
  return {
    history: { project: HISTORY, user: HISTORY, all: HISTORY },
    idempotencyTtlMs: 60_000,
    firehose: true,
  };
}
