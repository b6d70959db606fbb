import { ProtocolError } from '@leque/protocol';
import type { Hub } from '../fan-out/hub.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Admission } from './admission.ts';
import { reportRefusal } from './refusals.ts';

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
  readonly socket: HandshakeSocket;
  readonly proceed: () => void;
  readonly refuse: (error: ProtocolError) => void;
}

export interface HandshakeContext {
  readonly admission: Admission;
  readonly telemetry: Telemetry;
  readonly hub: Pick<Hub, 'counters'>;
}

/** Lets a newcomer wait for its admission. A client that leaves meanwhile is forgotten. */
export async function admitHandshake(
  { transport, socket, proceed, refuse }: Handshake,
  { admission, telemetry, hub }: HandshakeContext,
): Promise<void> {
  socket.on('error', ignore); // while it waits, nobody else handles its errors
  const counters = hub.counters.of(transport);
  counters.opening += 1;
  try {
    await admission.enter();
    socket.removeListener('error', ignore);
    if (!socket.destroyed) proceed();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    reportRefusal(telemetry, transport, error);
    refuse(error);
  } finally {
    counters.opening -= 1;
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
    `Retry-After: ${retryAfter()}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function ignore(): void {}
