import { directSocket, SENDER_IDLE } from './direct-path.ts';
import {
  type EngineServer,
  type EngineSocket,
  type EngineTransportInternals,
  engineOf,
  socketOf,
  type WsInternals,
} from './private-fields.ts';
import { findSlimmingProblem } from './slimming-check.ts';
import { connectTrialClient, openWebSocket, TRIAL, type TrialClient } from './trial-client.ts';

const TEXT_FRAME = 0x81;

/** How the installed libraries differ from what this folder expects; nothing where they do not. */
export interface LibraryProblems {
  /** Frames may not be written beneath Engine.IO. */
  readonly directPath: string | undefined;
  /** Clients have no budget for what they send. */
  readonly input: string | undefined;
  /** Connections stay as large as the libraries make them, or keep timers of their own. */
  readonly connections: string | undefined;
  /** Clients cannot come back with their state. */
  readonly recovery: string | undefined;
}

/** Tries on the installed versions everything that this folder expects of their private fields. */
export async function tryLibraries(engine: EngineServer): Promise<LibraryProblems> {
  const directPath = findDirectPathProblem(engine);
  const input = problemOf(() => findInputProblem() ?? findPollingProblem(engine));
  try {
    await using client = await connectTrialClient();
    return {
      directPath,
      input,
      connections: problemOf(() => findConnectionProblem(client)),
      recovery: problemOf(() => findRecoveryProblem(client)),
    };
  } catch (error) {
    // A machine that is too busy for the trial says nothing about the libraries.
    const failed = isTimeout(error) ? undefined : failure(error);
    return { directPath, input, connections: failed, recovery: failed };
  }
}

function isTimeout(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly name?: string } };
  return cause?.name === 'TimeoutError';
}

/** Checks what `directSocket` expects. */
export function findDirectPathProblem(engine: EngineServer): string | undefined {
  return problemOf(() => tryDirectPath(engine));
}

function tryDirectPath(engine: EngineServer): string | undefined {
  const { ws, tcp, written } = openWebSocket();
  if (ws._socket !== tcp) return 'ws does not keep its socket as _socket';
  if (ws._sender?._state !== SENDER_IDLE) return 'the state of the ws sender is not known';
  if (typeof ws._sender.sendFrame !== 'function') return 'the ws sender does not send frames';
  const transport = openTransport(engine, ws);
  if ((transport.socket as unknown) !== ws) {
    return 'the Engine.IO transport does not keep its ws as socket';
  }
  const idle = { upgrading: false, writeBuffer: [], transport };
  if (directSocket(idle as unknown as EngineSocket) !== tcp) return 'an idle transport looks busy';
  transport.send([{ type: 'message', data: 'a', options: {} }]);
  if (transport.writable) return 'a transport that sends looks idle';
  // `4a`: Engine.IO has sent a whole frame on the socket before `send` returns.
  const expected = Buffer.from([TEXT_FRAME, 2, 0x34, 0x61]);
  return Buffer.concat(written).equals(expected) ? undefined : 'Engine.IO does not write at once';
}

/** Checks what `TransportSocket` expects. */
function findInputProblem(): string | undefined {
  const { ws } = openWebSocket();
  const { _receiver: parser } = ws;
  if (typeof parser?._write !== 'function' || typeof parser.write !== 'function')
    return 'ws does not parse with a stream';
  return ws._closeFrameReceived === false ? undefined : 'ws knows otherwise who closes';
}

/** Checks what `gatePolling` expects. */
function findPollingProblem(engine: EngineServer): string | undefined {
  const transport = createTransport(engine, 'polling', { _query: { EIO: '4' }, headers: {} });
  if (typeof transport.onData !== 'function') return 'Engine.IO parses polling bodies otherwise';
  const { closeTimeout } = transport;
  return typeof closeTimeout === 'number' ? undefined : 'polling waits otherwise for a client';
}

/** Checks what `SocketSlimmer` and `takeHeartbeat` expect. */
export function findConnectionProblem({ socket }: TrialClient): string | undefined {
  const { pingIntervalTimer, sendPacket, onClose } = engineOf(socket.conn);
  if (!pingIntervalTimer) return 'Engine.IO does not keep its timer as pingIntervalTimer';
  if (typeof sendPacket !== 'function') return 'Engine.IO sends packets otherwise';
  if (typeof onClose !== 'function') return 'Engine.IO closes connections otherwise';
  return findSlimmingProblem(socketOf(socket));
}

/** Checks what `setPid` and `takeBackId` expect. */
export function findRecoveryProblem({ socket, written }: TrialClient): string | undefined {
  if (socket.id !== TRIAL.id) return 'Socket.IO does not let a socket take back its id';
  if (!written().includes(JSON.stringify({ sid: TRIAL.id, pid: TRIAL.pid }))) {
    return 'Socket.IO does not send the pid to its client';
  }
  return undefined;
}

function problemOf(find: () => string | undefined): string | undefined {
  try {
    return find();
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): string {
  return `the trial failed: ${error instanceof Error ? error.message : String(error)}`;
}

function openTransport(engine: EngineServer, websocket: WsInternals): EngineTransportInternals {
  const request = { websocket, _query: { EIO: '4' }, headers: {} };
  const transport = createTransport(engine, 'websocket', request);
  transport.on('error', () => {});
  return transport;
}

function createTransport(
  engine: EngineServer,
  name: string,
  request: object,
): EngineTransportInternals {
  const { createTransport: create } = engine as unknown as {
    createTransport(name: string, request: object): EngineTransportInternals;
  };
  return create.call(engine, name, request);
}
