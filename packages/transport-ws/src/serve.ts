import type { EventEmitter } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import {
  CLOSE_TIMEOUT_MS,
  type Heartbeats,
  type Identity,
  MAX_FRAGMENTS,
  RETURN_SPREAD_MS,
  retryAfter,
  returnHint,
} from '@leque/core';
import { CLOSE, isId, LOG_LEVELS, type LogLevel, ProtocolError } from '@leque/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { admit, assertSuffices } from './session/admission.ts';
import { execute } from './session/commands.ts';
import type { WsContext } from './session/context.ts';
import { type Endpoint, logs, notifications, project } from './session/endpoint.ts';
import { startHeartbeats } from './session/heartbeat.ts';
import { SessionSocket } from './session/session-socket.ts';
import { WsConnection } from './session/ws-connection.ts';
import { WsReader } from './session/ws-reader.ts';
import { WsSession } from './session/ws-session.ts';
import { DEFLATE_OPTIONS, declineSmallWindows } from './wire/deflate-format.ts';

type WsOptions = NonNullable<WebsocketPluginOptions['options']>;

const SUBPROTOCOL = 'leque';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks for an upgrade, and the response that it will not need; set once it is allowed. */
    admitted: { readonly identity: Identity; readonly response: ServerResponse } | undefined;
  }
}

/**
 * Serves the three raw WebSocket endpoints.
 * @param upgrades emits `upgrade` for the requests that are this transport's
 */
export async function registerWebSockets(
  app: FastifyInstance,
  context: WsContext,
  upgrades: EventEmitter,
): Promise<void> {
  const heartbeats = startHeartbeats(context);
  await app.register(websocket, {
    errorHandler: (error) => context.telemetry.report({ type: 'failure', where: 'ws', error }),
    // Clients are moved away by the drain, with a hint; not cut by the server's end.
    preClose: (done) => done(),
    options: serverOptions(context, upgrades),
  });
  app.addHook('onClose', async () => heartbeats.close());
  app.decorateRequest('admitted', undefined);

  const serve = (path: string, endpointOf: (request: FastifyRequest) => Endpoint) => {
    for (const url of [path, `${path}/`]) {
      app.route({
        method: 'GET',
        url,
        preValidation: (request, reply) => decide(request, reply, { context, endpointOf }),
        handler: (_request, reply) => reply.code(426).header('upgrade', 'websocket').send(),
        wsHandler: (webSocket, request) => {
          const socket = webSocket as SessionSocket; // as the server's options say
          forget(socket, request);
          accept(socket, request, { context, heartbeats, endpoint: endpointOf(request) });
        },
      });
    }
  };

  const everything = notifications(context.firehose);
  serve('/ws/notifications', () => everything);
  serve('/ws/project/:project_id', (request) => project(projectOf(request)));
  serve('/ws/logs', (request) => logs(levelOf(request)));
}

function serverOptions({ limits, compression }: WsContext, upgrades: EventEmitter) {
  return {
    server: upgrades as Server,
    maxPayload: limits.maxMessageBytes,
    perMessageDeflate: compression && DEFLATE_OPTIONS,
    clientTracking: false,
    closeTimeout: CLOSE_TIMEOUT_MS, // not in the types, nor is the next
    maxFragments: MAX_FRAGMENTS,
    handleProtocols: chooseProtocol,
    // It needs the class only, and not what `ws` hangs on its own beside it.
    WebSocket: SessionSocket as unknown as NonNullable<WsOptions['WebSocket']>,
  };
}

/** Browsers give up when none of the subprotocols that they offered is chosen. */
function chooseProtocol(offered: Set<string>): string | false {
  if (offered.has(SUBPROTOCOL)) return SUBPROTOCOL;
  return [...offered].find((name) => !name.startsWith('bearer.')) ?? false;
}

/** Answers what is refused with plain HTTP, before the upgrade. */
async function decide(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    context,
    endpointOf,
  }: { context: WsContext; endpointOf: (request: FastifyRequest) => Endpoint },
): Promise<void> {
  try {
    const identity = await admit(request, context);
    assertSuffices(identity, endpointOf(request), context);
    declineSmallWindows(request.raw.headers);
    request.admitted = { identity, response: reply.raw };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { code, message: detail } = error;
    context.telemetry.report({ type: 'connection_refused', transport: 'ws', code, detail });
    if (error.status === 401) reply.header('www-authenticate', 'Bearer');
    if (error.status === 503) reply.header('retry-after', retryAfter());
    await reply.code(error.status).type('application/problem+json').send(error.toProblem());
  }
}

interface Accepting {
  readonly context: WsContext;
  readonly heartbeats: Heartbeats<WsSession>;
  readonly endpoint: Endpoint;
}

/**
 * Lets go of what an upgrade leaves behind: the response that was never used, and the plugin's
 * listener, which would hold request and reply for as long as the connection lives.
 */
function forget(socket: SessionSocket, { raw, admitted }: FastifyRequest): void {
  admitted?.response.detachSocket(raw.socket);
  socket.ignoreErrors();
}

/** For what is known only after the upgrade: it waited for keys while the node began to drain. */
function refuse(socket: SessionSocket, { isDraining, telemetry }: WsContext): void {
  const code = isDraining() ? 'draining' : 'unavailable';
  const detail = isDraining() ? 'this node is being replaced' : 'this node is full';
  telemetry.report({ type: 'connection_refused', transport: 'ws', code, detail });
  if (isDraining()) socket.close(CLOSE.drained, returnHint(RETURN_SPREAD_MS));
  else socket.close(CLOSE.tryAgainLater, detail);
}

function accept(
  socket: SessionSocket,
  request: FastifyRequest,
  { context, heartbeats, endpoint }: Accepting,
): void {
  const identity = request.admitted?.identity;
  const full = context.hub.sessions.size >= context.limits.maxConnections;
  if (identity === undefined || full || context.isDraining()) {
    refuse(socket, context);
    return;
  }
  const connection = new WsConnection(socket, request.raw.socket, context.writer);
  const resumes = (request.query as { resume?: string }).resume === '1';
  const ws = new WsSession({ connection, identity, endpoint, resumes, execute }, context);
  const { id: sessionId } = ws.session;
  context.telemetry.report({
    type: 'session_opened',
    transport: 'ws',
    sessionId,
    userId: identity.userId,
  });
  heartbeats.add(ws);
  socket.readBy(new WsReader(ws, heartbeats));
}

function projectOf(request: FastifyRequest): string {
  const { project_id } = request.params as { project_id: string };
  if (isId(project_id)) return project_id;
  throw new ProtocolError(
    'invalid_command',
    'project_id must be 1 to 128 letters, digits and . _ - : @ +',
  );
}

function levelOf(request: FastifyRequest): LogLevel {
  const { level } = request.query as { level?: string | string[] };
  const asked = String(level || LOG_LEVELS[0]).toLowerCase();
  const known = LOG_LEVELS.find((name) => name === asked);
  if (known !== undefined) return known;
  throw new ProtocolError('invalid_command', `level must be one of ${LOG_LEVELS.join(', ')}`);
}
