import { ProtocolError } from '@leque/protocol';
import type { ConnectingRequest, LeaveAddress } from '../admission/address-limit.ts';
import { assertAccepting, reportRefusal } from './refusals.ts';
import type { TransportContext } from './transport.ts';

/** Clients refused at the same time return spread over this time within this many seconds. */
const RETRY_SPREAD_SECONDS = 5;

/** The socket of a request that has not been answered. */
export interface HandshakeSocket {
  readonly destroyed: boolean;
  on(event: 'error', listener: () => void): unknown;
  removeListener(event: 'error', listener: () => void): unknown;
  end(text: string, done: () => void): unknown;
  destroy(): unknown;
}

export interface Handshake {
  /** The name of the transport. */
  readonly transport: string;
  readonly request: ConnectingRequest;
  /** The token in the request; undefined when it comes later, or not at all. */
  readonly token: string | undefined;
  readonly socket: HandshakeSocket;
  /** Whether a full node accepts the client all the same, and closes it with a code. */
  readonly closedWhenFull: boolean;
  /** Called when the client may go on; `leave` has to be called when its connection is gone. */
  readonly proceed: (leave: LeaveAddress) => void;
  readonly refuse: (error: ProtocolError) => void;
}

export type HandshakeContext = Pick<
  TransportContext,
  | 'admission'
  | 'addresses'
  | 'addressLimit'
  | 'knownTokens'
  | 'telemetry'
  | 'hub'
  | 'limits'
  | 'isDraining'
  | 'isOutOfDescriptors'
>;

/** Lets a newcomer wait for its admission. A client that leaves meanwhile is forgotten. */
export async function admitHandshake(
  handshake: Handshake,
  context: HandshakeContext,
): Promise<void> {
  const { transport, socket, proceed, refuse } = handshake;
  socket.on('error', ignore); // while it waits, nobody else handles its errors
  const counters = context.hub.counters.of(transport);
  counters.opening += 1;
  try {
    const leave = await enter(handshake, context);
    socket.removeListener('error', ignore);
    if (socket.destroyed) leave?.();
    else proceed(leave);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    reportRefusal(context.telemetry, transport, error);
    refuse(error);
  } finally {
    counters.opening -= 1;
  }
}

/** @throws ProtocolError */
async function enter(
  { request, token, closedWhenFull }: Handshake,
  context: HandshakeContext,
): Promise<LeaveAddress> {
  const { addresses, addressLimit, admission, knownTokens } = context;
  if (!closedWhenFull || addresses.isProxied(request)) assertAccepting(context);
  const leave = addressLimit.enter(() => addresses.of(request));
  try {
    await admission.enter(knownTokens.has(token) ? 'known' : 'newcomers');
    return leave;
  } catch (error) {
    leave?.();
    throw error;
  }
}

/** A value for `Retry-After`, in seconds; it differs among clients that are refused at once. */
export function retryAfter(): string {
  return String(1 + Math.floor(Math.random() * RETRY_SPREAD_SECONDS));
}

/** Answers a request to upgrade, which has no response object, with a problem document. */
export function refuseUpgrade(socket: HandshakeSocket, error: ProtocolError): void {
  const body = JSON.stringify(error.toProblem());
  const head = [
    `HTTP/1.1 ${error.status} ${error.toProblem().title}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(error.status === 503 || error.status === 429 ? [`Retry-After: ${retryAfter()}`] : []),
  ];
  socket.on('error', ignore); // nobody else handles its errors any more
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function ignore(): void {}
