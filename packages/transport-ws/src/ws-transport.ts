import type { EventEmitter } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import {
  assertAccepting,
  assertRoomForUser,
  CLOSE_TIMEOUT_MS,
  type Endpoint,
  type Heartbeats,
  type Identity,
  inputContext,
  logsEndpoint,
  MAX_FRAGMENTS,
  notificationsEndpoint,
  projectEndpoint,
  RETURN_SPREAD_MS,
  reportRefusal,
  returnHint,
  type Transport,
  type TransportContext,
} from '@leque/core';
import { CLOSE, ProtocolError } from '@leque/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authorizeUpgrade, refuseOrdinaryRequest, refuseRequest } from './authorize-upgrade.ts';
import { startHeartbeats } from './session/heartbeat.ts';
import { clientKey, LearnedLimits } from './session/learned-limits.ts';
import { SessionSocket } from './session/session-socket.ts';
import { WsConnection } from './session/ws-connection.ts';
import { WsSession } from './session/ws-session.ts';
import { admittedUpgrades } from './upgrades.ts';
import { DEFLATE_OPTIONS } from './wire/deflate-format.ts';
import { parseMessageLimit } from './wire/limited-format.ts';
import { TRANSPORT } from './wire/ws-format.ts';

type ServerOptions = NonNullable<WebsocketPluginOptions['options']>;
interface UpgradeQuery {
  readonly resume?: string;
  readonly max_message?: string;
}

type EndpointOf = (request: FastifyRequest) => Endpoint;

const SUBPROTOCOL = 'leque';

export interface WsOptions {
  /** Whether publications are compressed for clients that negotiate it. */
  readonly compression: boolean;
  /** Prefixes of the paths whose upgrades other transports take. */
  readonly otherPaths: readonly string[];
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once an upgrade is allowed: the client, and the response that is never used. */
    upgrade: { readonly identity: Identity; readonly response: ServerResponse } | undefined;
  }
}

/** Serves the three raw WebSocket endpoints. */
export class WsTransport implements Transport<FastifyInstance> {
  readonly name = TRANSPORT;
  readonly #context: TransportContext;
  readonly #options: WsOptions;
  readonly #heartbeats: Heartbeats<WsSession>;
  readonly #learned: LearnedLimits;

  constructor(context: TransportContext, options: WsOptions) {
    this.#context = context;
    this.#options = options;
    this.#heartbeats = startHeartbeats(context);
    this.#learned = new LearnedLimits(context.limits.maxEventBytes);
  }

  async start(app: FastifyInstance): Promise<void> {
    const { telemetry, firehose } = this.#context;
    await app.register(websocket, {
      errorHandler: (error) => telemetry.report({ type: 'failure', where: TRANSPORT, error }),
      // The drain moves clients away, with a hint; the server's end does not cut them.
      preClose: (done) => done(),
      options: this.#serverOptions(app.server),
    });
    app.decorateRequest('upgrade', undefined);
    const notifications = notificationsEndpoint(firehose);
    this.#serve(app, '/ws/notifications', () => notifications);
    this.#serve(app, '/ws/project/:project_id', (request) => {
      return projectEndpoint((request.params as { project_id: string }).project_id);
    });
    this.#serve(app, '/ws/logs', (request) => {
      const { level } = request.query as { level?: string | string[] };
      return logsEndpoint(level && String(level));
    });
  }

  async close(): Promise<void> {
    this.#heartbeats.close();
  }

  #serve(app: FastifyInstance, path: string, endpointOf: EndpointOf): void {
    for (const url of [path, `${path}/`]) {
      app.route({
        method: 'GET',
        url,
        preValidation: (request, reply) => this.#authorize(request, reply, endpointOf),
        handler: () => refuseOrdinaryRequest(), // only an upgrade passes the hook above
        wsHandler: (webSocket, request) => {
          const socket = webSocket as SessionSocket; // the class in the server's options
          forgetUpgrade(socket, request);
          this.#accept(socket, request, endpointOf(request));
        },
      });
    }
  }

  #serverOptions(server: Server) {
    const upgrades: EventEmitter = admittedUpgrades(
      server,
      this.#options.otherPaths,
      this.#context,
    );
    return {
      server: upgrades as Server,
      maxPayload: this.#context.limits.maxMessageBytes,
      perMessageDeflate: this.#options.compression && DEFLATE_OPTIONS,
      clientTracking: false,
      input: inputContext(TRANSPORT, this.#context),
      closeTimeout: CLOSE_TIMEOUT_MS, // the types lack this and the next
      maxFragments: MAX_FRAGMENTS,
      handleProtocols: chooseProtocol,
      // The types ask for the whole namespace of `ws`; it uses the class only.
      WebSocket: SessionSocket as unknown as NonNullable<ServerOptions['WebSocket']>,
    };
  }

  /** Refuses with plain HTTP, before the upgrade. */
  async #authorize(request: FastifyRequest, reply: FastifyReply, endpointOf: EndpointOf) {
    try {
      if (!request.ws) refuseOrdinaryRequest();
      const identity = await authorizeUpgrade(request, () => endpointOf(request), this.#context);
      parseMessageLimit((request.query as UpgradeQuery).max_message);
      request.upgrade = { identity, response: reply.raw };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      reportRefusal(this.#context.telemetry, TRANSPORT, error);
      await refuseRequest(reply, error);
    }
  }

  #accept(socket: SessionSocket, request: FastifyRequest, endpoint: Endpoint): void {
    const { upgrade, query, raw } = request;
    if (upgrade === undefined) {
      socket.close(CLOSE.tryAgainLater, 'this upgrade was not authorized');
      return;
    }
    try {
      assertAccepting(this.#context);
      assertRoomForUser(upgrade.identity, this.#context);
    } catch (error) {
      this.#refuse(socket, error);
      return;
    }
    const { max_message, resume } = query as UpgradeQuery;
    const learned = this.#learned;
    const clientKey = keyOf(request, upgrade.identity, this.#context);
    const maxMessage = smaller(parseMessageLimit(max_message), learned.of(clientKey));
    const { writer } = this.#context;
    const connection = new WsConnection(socket, raw.socket, { writer, maxMessage });
    const session = new WsSession(
      {
        connection,
        endpoint,
        context: this.#context,
        heartbeats: this.#heartbeats,
        learned,
        clientKey,
        maxMessage,
      },
      upgrade.identity,
    );
    session.open(resume === '1');
    socket.readBy(session);
  }

  /** Closes a socket that was upgraded while the node filled up, or began to drain. */
  #refuse(socket: SessionSocket, error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    reportRefusal(this.#context.telemetry, TRANSPORT, error);
    socket.stop();
    if (error.code === 'draining') socket.close(CLOSE.drained, returnHint(RETURN_SPREAD_MS));
    else socket.close(CLOSE.tryAgainLater, error.message);
  }
}

/** What tells clients apart that may have different libraries. */
function keyOf(
  { headers, raw, routeOptions }: FastifyRequest,
  { userId }: Identity,
  { addresses }: TransportContext,
): number {
  return clientKey([userId ?? addresses.of(raw), headers['user-agent'], routeOptions.url]);
}

function smaller(...limits: (number | undefined)[]): number | undefined {
  const known = limits.filter((limit) => limit !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Chooses no subprotocol that this server does not speak; a client that insists on it gives up then. */
function chooseProtocol(offered: ReadonlySet<string>): string | false {
  return offered.has(SUBPROTOCOL) && SUBPROTOCOL;
}

/**
 * Frees what an upgrade leaves behind: the response that was never used, and the plugin's listener,
 * which would hold request and reply for as long as the connection lives.
 */
function forgetUpgrade(socket: SessionSocket, { raw, upgrade }: FastifyRequest): void {
  upgrade?.response.detachSocket(raw.socket);
  socket.ignoreErrors();
}
