import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { admitHandshake, type Handshake, refuseUpgrade, type TransportContext } from '@leque/core';
import { presentedToken } from './authorize-upgrade.ts';
import { TRANSPORT } from './wire/ws-format.ts';

/**
 * Emits `upgrade` for each upgrade on `server` once it is admitted. Unknown paths are included,
 * because somebody has to refuse them.
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
