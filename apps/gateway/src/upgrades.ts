import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { admitHandshake, type HandshakeContext, refuseUpgrade } from '@leque/core';

const SOCKET_IO_PATH = '/socket.io/';

/** The upgrades of raw WebSockets, once they are admitted; Socket.IO takes its own from the server. */
export function rawUpgrades(server: Server, ports: HandshakeContext): EventEmitter {
  const upgrades = new EventEmitter();
  server.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith(SOCKET_IO_PATH)) return;
    const proceed = () => void upgrades.emit('upgrade', request, socket, head);
    const refuse = (error: Parameters<typeof refuseUpgrade>[1]) => refuseUpgrade(socket, error);
    void admitHandshake({ transport: 'ws', socket, proceed, refuse }, ports);
  });
  return upgrades;
}
