import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import {
  admitHandshake,
  type Handshake,
  refuseUpgrade,
  reportRefusal,
  type TransportContext,
} from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { presentedToken } from './authorize-upgrade.ts';
import { TRANSPORT } from './wire/ws-format.ts';

/** The start of all paths of raw WebSocket clients. */
const PATHS = '/ws/';

/**
 * Emits `upgrade` for each upgrade on `server` once it is admitted. Unknown paths beneath `/ws/` are
 * included, because their refusals tell what is wrong; all others are refused at once.
 * @param otherPaths prefixes of the paths whose upgrades other transports take
 */
export function admittedUpgrades(
  server: Server,
  otherPaths: readonly string[],
  context: TransportContext,
): EventEmitter {
  const upgrades = new EventEmitter();
  server.on('upgrade', (request, socket, head) => {
    if (otherPaths.some((path) => request.url?.startsWith(path))) return;
    if (!request.url?.startsWith(PATHS)) {
      const error = new ProtocolError('not_found', 'there is no WebSocket at this path');
      reportRefusal(context.telemetry, TRANSPORT, error);
      refuseUpgrade(socket, error);
      return;
    }
    const handshake: Handshake = {
      transport: TRANSPORT,
      request,
      token: presentedToken(request.headers, queryOf(request).get('token')),
      socket,
      closedWhenFull: true,
      proceed(leave) {
        if (leave !== undefined) socket.once('close', leave);
        upgrades.emit('upgrade', request, socket, head);
      },
      refuse: (error) => refuseUpgrade(socket, error),
    };
    void admitHandshake(handshake, context);
  });
  return upgrades;
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  return new URLSearchParams(url.slice(url.indexOf('?') + 1));
}
