import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Cancel, type Clock, HOLD_STEP_MS } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import type { Server } from 'socket.io';
import { type StatefulSocket, stateById } from '../internals/connection-state.ts';
import { queryOf } from '../internals/private-fields.ts';
import { answer } from './answer.ts';

type Next = () => void;

interface Pace {
  readonly clock: Clock;
  /** Engine.IO stops reading larger bodies. */
  readonly maxBodyBytes: number;
}

/**
 * Charges the requests of a polling connection, and lets them wait, unread, while its budget is spent. Each
 * request counts, so the budget bounds how many can wait. After a verdict on the client its bodies are
 * refused unread, and it can still fetch the reason of the close.
 */
export function paceRequests(engine: Server['engine'], { clock, maxBodyBytes }: Pace): void {
  engine.use((request: IncomingMessage, response: ServerResponse, next: Next) => {
    const conn = stateById(engine, sidOf(request) ?? '');
    conn?.input?.take(1, 0);
    const isRead = conn !== undefined && request.method === 'POST';
    // After the answer, Node would read the rest of any other body without a limit.
    if (bodyBytes(request) > (isRead ? maxBodyBytes : 0)) response.shouldKeepAlive = false;
    let cancel: Cancel | undefined;
    proceed();
    function proceed(): void {
      if (request.socket.destroyed) return;
      if (conn === undefined || mayProceed(conn)) serve();
      else hold();
    }
    function hold(): void {
      if (cancel === undefined) response.once('close', () => cancel?.());
      cancel = clock.after(HOLD_STEP_MS, proceed);
    }
    function serve(): void {
      if (conn?.stopped && request.method === 'POST') answer(response, closedForFlood());
      else next();
    }
  });
}

/** The id of the connection that a request belongs to; undefined for a handshake. */
export function sidOf(request: IncomingMessage): string | undefined {
  return queryOf(request).sid || undefined;
}

/** The announced size of a request's body; infinite where it is not announced. */
function bodyBytes({ headers }: IncomingMessage): number {
  if (headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY;
  return Number(headers['content-length'] ?? 0);
}

function closedForFlood(): ProtocolError {
  return new ProtocolError('rate_limited', 'this connection is closed: too much input');
}

/** Engine.IO refuses the requests of a connection that is closed. */
function mayProceed(conn: StatefulSocket): boolean {
  const verdict = conn.readyState === 'open' ? conn.input?.verdict() : undefined;
  if (verdict === 'close') conn.flooded();
  return verdict !== 'hold';
}
