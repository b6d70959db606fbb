import {
  assertAccepting,
  assertRoomForUser,
  bearerToken,
  type Identity,
  reportRefusal,
  type TransportContext,
} from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import type { Namespace, Socket } from 'socket.io';
import type { SocketIoContext } from '../context.ts';
import { stateOf, stopReading } from '../internals/connection-state.ts';
import { authOf } from '../session/auth.ts';
import { cursorsOf } from '../session/cursors.ts';
import { presentedGrants } from '../session/presented-grants.ts';
import { SocketIoSession } from '../session/socketio-session.ts';
import { TRANSPORT } from '../wire/socketio-format.ts';
import type { Joiners } from './joiners.ts';

/** Opens a session for each client with a token, once per connection: a client may send several CONNECTs (CNT). */
export function registerJoin(events: Namespace, context: SocketIoContext, joiners: Joiners): void {
  events.use((socket, next) => {
    const state = stateOf(socket);
    joiners.forget(state);
    if (state.joins) {
      stopReading(state);
      state.close();
      next(connectError(new ProtocolError('invalid_command', 'joins once only'), context));
      return;
    }
    state.joins = true;
    join(socket, context).then(
      () => next(),
      (error: unknown) => {
        state.joins = false;
        // Official clients come back by themselves only when the transport closes.
        if (context.isDraining() || isForNow(error)) state.close();
        else if (state.readyState === 'open') joiners.await(state); // it may try another token
        next(connectError(error, context));
      },
    );
  });
}

/** Opens the session before the client learns that it is connected. */
async function join(socket: Socket, context: SocketIoContext): Promise<void> {
  const identity = await authenticate(socket, context);
  const { conn } = socket;
  if (conn.readyState !== 'open') return;
  const session = new SocketIoSession(socket, identity, context);
  try {
    await session.open();
  } catch (error) {
    // The client comes back by itself, and keeps what it knows of its state.
    conn.close();
    throw error;
  }
}

/** @throws ProtocolError with the message that the client's `connect_error` shows */
async function authenticate(socket: Socket, context: TransportContext): Promise<Identity> {
  const token = tokenOf(socket);
  if (token === undefined) {
    throw new ProtocolError(
      'token_missing',
      'a token is required: auth.token, Authorization: Bearer, or ?token=',
    );
  }
  const identity = await context.verifier.verify(token);
  assertAccepting(context);
  assertRoomForUser(identity, context);
  if (identity.userId === undefined) {
    throw new ProtocolError('token_claim_invalid', 'no user in the token');
  }
  const auth = authOf(socket);
  for (const read of [cursorsOf, presentedGrants]) read(auth); // throws when it cannot be read
  return identity;
}

function tokenOf({ handshake }: Socket): string | undefined {
  const { token } = handshake.auth as { token?: unknown };
  const given = [token, handshake.query['token']].find(
    (value): value is string => typeof value === 'string' && value !== '',
  );
  return bearerToken(handshake.headers.authorization) ?? bearerToken(given) ?? given;
}

/** Whether the node cannot take the client now: it has no time, or no room. */
function isForNow(error: unknown): boolean {
  return (
    error instanceof ProtocolError && (error.code === 'overloaded' || error.code === 'unavailable')
  );
}

function connectError(error: unknown, { telemetry }: TransportContext): Error {
  if (!(error instanceof ProtocolError)) {
    telemetry.report({ type: 'failure', where: 'socketio handshake', error });
    return new Error('internal error');
  }
  reportRefusal(telemetry, TRANSPORT, error);
  // Socket.IO sends `data` to the client beside the message.
  return Object.assign(new Error(error.message), { data: { code: error.code } });
}
