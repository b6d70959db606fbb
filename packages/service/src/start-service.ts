import { setTimeout as delay } from 'node:timers/promises';
import {
  type AuthenticationOutcomes,
  type Broker,
  type BrokerReadings,
  type Clock,
  type ClusterState,
  type Control,
  type OriginVariables,
  originPolicyOf,
  SteadyClock,
  systemClock,
  type Telemetry,
  type Tracing,
} from '@leque/core';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { reportBrokenRequests } from './answers/broken-requests.ts';
import { registerProblems } from './answers/problem-answers.ts';
import { registerNotFound } from './answers/unknown-paths.ts';
import { ClientAddresses } from './client-addresses.ts';
import type { DescriptorWatch } from './descriptors/descriptor-watch.ts';
import { shortageOf, watchDescriptors } from './descriptors/watch-descriptors.ts';
import { endConnectionsWhile } from './http/end-connections.ts';
import { refuseForeignNames } from './http/foreign-names.ts';
import { type Metrics, registerOperations } from './http/operations.ts';
import { OperationsPort } from './http/operations-port.ts';
import { Readiness } from './http/readiness.ts';
import { LISTEN_BACKLOG } from './http/request-limits.ts';
import { closeServer, createServer } from './http/server.ts';
import { closeAfterUnreadBodies, inviteBodiesWhenRead } from './http/unread-bodies.ts';
import { registerLogLevel } from './log-level.ts';
import { type AppStatus, registerNodeStatus } from './node-status.ts';
import type { RunningServer } from './run-process.ts';
import { stopTimeoutMs } from './settings.ts';
import { BrokerRefusedError, refuseListenError } from './start-errors.ts';

export interface ServiceOptions {
  /** Name of the process in traces and logs, for example `leque-gateway`. */
  readonly name: string;
  /** Version of the app that runs. */
  readonly version: string;
  readonly settings: ServiceSettings;
  /** Value of the field `context` in log lines about facts; without it they have no such field. */
  readonly logContext?: string;
}

export interface ServiceSettings extends OriginVariables {
  readonly NODE_ID: string;
  readonly HOST: string;
  readonly PORT: number;
  readonly LOG_LEVEL: string;
  readonly OPERATIONS_PORT?: number;
  readonly BASE_PATH?: string;
  readonly TRUSTED_PROXIES?: string;
  readonly DRAIN_GRACE: number;
  readonly DRAIN_TIMEOUT?: number;
}

/** The broker and everything that shares its connections. */
export interface Backend {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly control: Control;
  /** Undefined for a process that neither receives publications nor holds a lease. */
  readonly readings?: BrokerReadings | undefined;
  /** Waits a moment for the first connection; never rejects, because the process is just not ready. */
  connect(): Promise<void>;
  /** Why waiting for the broker cannot help, in one sentence; undefined when it can. */
  refusal?(): string | undefined;
  /** Closes broker, state and control, and then their connections. */
  close(): Promise<void>;
}

/** Takes facts, and reads counters when the metrics are rendered. */
export interface ServiceTelemetry extends Telemetry, Metrics {
  watchBroker(broker: Pick<Broker, 'health'>, readings?: BrokerReadings): void;
  watchReadiness(unreadiness: () => readonly string[]): void;
  watchAuthentications(outcomes: AuthenticationOutcomes): void;
}

/** How this process appears in traces. */
export interface ProcessIdentity {
  readonly service: string;
  readonly version: string;
  readonly nodeId: string;
}

/** The collaborators of a process: the technologies, and what it serves with them. */
export interface ServiceDeps<T extends ServiceTelemetry, B extends Backend> {
  createTelemetry(log: FastifyBaseLogger): T;
  /** @param clock the process's clock, which follows a jump only once the backend confirms it */
  openBackend(telemetry: T, clock: Clock): B;
  /** Undefined when spans have nowhere to go. */
  openTracing(process: ProcessIdentity): Promise<Tracing | undefined>;
  /** Adds routes and sockets to the server before it listens. */
  serve(context: ServiceContext<T, B>): Promise<readonly Role[]>;
  /** Listens on more addresses once the main one is open. */
  listenElsewhere?(app: FastifyInstance, backend: B): Promise<readonly Closable[]>;
}

/** The parts of a process that its roles work with. */
export interface ServiceContext<T extends ServiceTelemetry, B extends Backend> {
  readonly app: FastifyInstance;
  readonly telemetry: T;
  readonly backend: B;
  readonly tracing: Tracing | undefined;
  readonly descriptors: DescriptorWatch;
  readonly clock: Clock;
  readonly nodeId: string;
  /** Outcomes of all authentications in this process; every role counts into it. */
  readonly authentications: AuthenticationOutcomes;
}

/** The work of a process for its users: it is a gateway, a publisher, or both. */
export interface Role {
  readonly status: () => AppStatus;
  /** The reasons of this role against new traffic; empty when there are none. */
  unreadiness?(): readonly string[];
  /** Moves the clients to other nodes and closes their sockets. Rejects newcomers from its start. */
  drain?(): Promise<void>;
}

export interface Closable {
  close(): unknown;
}

/** Starts a process: HTTP server, logs, metrics, backend, traces, roles, in this order. */
export async function startService<T extends ServiceTelemetry, B extends Backend>(
  options: ServiceOptions,
  deps: ServiceDeps<T, B>,
): Promise<RunningServer> {
  const { settings } = options;
  const context = await openContext(options, deps);
  const { app, backend, telemetry, tracing, descriptors, operations, clock } = context;
  endConnectionsWhile(app, () => descriptors.exhausted); // idle ones take descriptors
  const readiness = new Readiness(backend.broker, telemetry);
  readiness.endConnections(app);
  const roles = await deps.serve(context);
  readiness.ask([...roles, { unreadiness: () => shortageOf(descriptors) }]);
  reportStatus(backend.control, roles, readiness);
  telemetry.watchReadiness(readiness.problems);
  registerOperations(app, { unreadiness: readiness.problems, metrics: telemetry });
  const address = { host: settings.HOST, port: settings.PORT, backlog: LISTEN_BACKLOG };
  await Promise.all([app.listen(address).catch(refuseListenError), backend.connect()]);
  const refusal = backend.refusal?.();
  if (refusal !== undefined) throw new BrokerRefusedError(refusal);
  if (settings.OPERATIONS_PORT !== undefined) {
    await operations?.listen(settings.HOST, settings.OPERATIONS_PORT);
  }
  const extras = (await deps.listenElsewhere?.(app, backend)) ?? [];
  const listeners = operations === undefined ? extras : [...extras, operations];
  return {
    stopTimeoutMs: stopTimeoutMs(settings),
    async stop() {
      readiness.failBeforeEnd();
      await delay(settings.DRAIN_GRACE * 1000);
      await closeInOrder({ listeners, roles, app, backend, tracing });
      descriptors.close();
      clock.close();
    },
  };
}

interface OwnContext<T extends ServiceTelemetry, B extends Backend> extends ServiceContext<T, B> {
  readonly operations: OperationsPort | undefined;
  readonly clock: SteadyClock;
}

async function openContext<T extends ServiceTelemetry, B extends Backend>(
  { name, version, settings, logContext }: ServiceOptions,
  deps: ServiceDeps<T, B>,
): Promise<OwnContext<T, B>> {
  const nodeId = settings.NODE_ID;
  const { LOG_LEVEL: logLevel, BASE_PATH: basePath } = settings;
  const app = createServer({ logLevel, nodeId, basePath });
  refuseForeignNames(app, originPolicyOf(settings), new ClientAddresses(settings));
  const operations =
    settings.OPERATIONS_PORT === undefined ? undefined : new OperationsPort(app, basePath);
  const factLog = logContext === undefined ? app.log : app.log.child({ context: logContext });
  const telemetry = deps.createTelemetry(factLog);
  registerProblems(app, telemetry, name);
  registerNotFound(app);
  reportBrokenRequests(app.server, telemetry);
  inviteBodiesWhenRead(app.server);
  closeAfterUnreadBodies(app.server);
  const clock = steadyClock(() => backend.state, telemetry);
  const backend = deps.openBackend(telemetry, clock);
  registerLogLevel(backend.control, nodeId, [app.log, factLog]);
  const tracing = await deps.openTracing({ service: name, version, nodeId });
  const authentications: AuthenticationOutcomes = {};
  telemetry.watchBroker(backend.broker, backend.readings);
  telemetry.watchAuthentications(authentications);
  const descriptors = watchDescriptors(systemClock, telemetry);
  const parts = { app, operations, telemetry, backend, tracing, descriptors };
  return { ...parts, clock, nodeId, authentications };
}

/** Makes the process's clock, with the clock of the cluster as the witness of jumps. */
function steadyClock(state: () => ClusterState, telemetry: Telemetry): SteadyClock {
  return new SteadyClock({
    clock: systemClock,
    witness: () => state().time?.(),
    onJump(jumpMs) {
      const detail = `the clock of this machine has jumped by ${jumpMs / 1000} s`;
      telemetry.report({ type: 'degraded', part: 'clock', detail });
    },
  });
}

function reportStatus(control: Control, roles: readonly Role[], readiness: Readiness): void {
  for (const { status } of roles) {
    registerNodeStatus(control, () => ({ ...status(), unready: readiness.problems() }));
  }
}

interface Closables {
  readonly listeners: readonly Closable[];
  readonly roles: readonly Role[];
  readonly app: FastifyInstance;
  readonly backend: Closable;
  readonly tracing: Closable | undefined;
}

/**
 * The one order in which a process closes what it has. Readiness has failed and the grace is over,
 * so nobody is sent here any more:
 * 1. other listeners, because they hand their connections to the main server;
 * 2. the roles' clients, who still get events until they are gone;
 * 3. the HTTP server, because the requests under way need the backend for their answers;
 * 4. the backend, which gives the lease back and then closes its connections;
 * 5. tracing, which sends the spans of everything before.
 */
async function closeInOrder({ listeners, roles, app, backend, tracing }: Closables): Promise<void> {
  for (const listener of listeners) listener.close();
  for (const role of roles) await role.drain?.();
  await closeServer(app);
  await backend.close();
  await tracing?.close();
}
