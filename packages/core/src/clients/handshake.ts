import { ProtocolError } from '@leque/protocol';
import type { Hub } from '../fan-out/hub.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Admission } from './admission.ts';

/** Clients that are refused at once come back at different times within these seconds. */
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

/** Decides on a newcomer before anything is done for it. One that leaves meanwhile is forgotten. */
export async function admitHandshake(
  { transport, socket, proceed, refuse }: Handshake,
  { admission, telemetry, hub }: HandshakeContext,
): Promise<void> {
  socket.on('error', ignore); // of one that waits there is nobody else who listens
  const counters = hub.counters.of(transport);
  counters.opening += 1;
  try {
    await admission.enter();
    socket.removeListener('error', ignore);
    if (!socket.destroyed) proceed();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { code, message: detail } = error;
    telemetry.report({ type: 'connection_refused', transport, code, detail });
    refuse(error);
  } finally {
    counters.opening -= 1;
  }
}

/** Seconds, for `Retry-After`; not the same for all who ask at once. */
export function retryAfter(): string {
  return String(1 + Math.floor(Math.random() * RETRY_SPREAD_SECONDS));
}

/** Answers a request to upgrade, for which there is no response object, with a problem document. */
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
