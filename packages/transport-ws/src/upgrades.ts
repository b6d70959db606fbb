import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { admitHandshake, refuseUpgrade, type TransportContext } from '@leque/core';
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
    const proceed = () => void upgrades.emit('upgrade', request, socket, head);
    const refuse = (error: Parameters<typeof refuseUpgrade>[1]) => refuseUpgrade(socket, error);
    void admitHandshake({ transport: TRANSPORT, socket, proceed, refuse }, context);
  });
  return upgrades;
}
