import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { admitHandshake, bearerToken, type LeaveAddress, type TransportContext } from '@leque/core';
import type { ProtocolError } from '@leque/protocol';
import type { Server } from 'socket.io';
import { type EngineSocket, queryOf } from '../internals/private-fields.ts';
import { TRANSPORT } from '../wire/socketio-format.ts';
import { isUpgrade, refuse } from './answer.ts';
import { sidOf } from './requests.ts';

type Next = () => void;

type AdmittedRequest = IncomingMessage & {
  leaveAddress?: LeaveAddress;
};

/**
 * Lets handshakes wait until they are admitted. Engine.IO itself can refuse with 403 only, after
 * which a client has no reason to come back.
 */
export function paceHandshakes(engine: Server['engine'], context: TransportContext): void {
  engine.use((request: IncomingMessage, response: EventEmitter, next: Next) => {
    // Engine.IO refuses ids that it does not know.
    if (sidOf(request) !== undefined) {
      next();
      return;
    }
    const proceed = (leave: LeaveAddress) => {
      if (leave !== undefined) leaveWithConnection(request, response, leave);
      next();
    };
    const token = tokenOf(request);
    const { socket } = request;
    const handshake = { transport: TRANSPORT, request, token, socket, proceed };
    const refuseIt = (error: ProtocolError) => refuse(request, response, error);
    void admitHandshake({ ...handshake, refuse: refuseIt, closedWhenFull: false }, context);
  });
}

/** Calls `leave` when the connection that the handshake begins is gone, or does not come about. */
function leaveWithConnection(
  request: AdmittedRequest,
  response: EventEmitter,
  leave: () => void,
): void {
  request.leaveAddress = leave;
  if (isUpgrade(response)) {
    request.socket.once('close', leave);
  } else {
    response.once('close', () => request.leaveAddress?.());
  }
}

/** Lets the connection of a polling client count at its address for as long as it lives. */
export function countAtAddress(conn: EngineSocket): void {
  const request = conn.request as AdmittedRequest;
  const { leaveAddress } = request;
  if (leaveAddress === undefined) return;
  request.leaveAddress = undefined;
  conn.on('close', leaveAddress);
}

/** Most clients send their token later, in the CONNECT packet. */
function tokenOf(request: IncomingMessage): string | undefined {
  const { token } = queryOf(request);
  return bearerToken(request.headers.authorization) ?? bearerToken(token) ?? token;
}
