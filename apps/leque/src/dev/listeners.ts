import type { Server } from 'node:http';
import { createExtraServer, type MainServer } from '@leque/service';

/**
 * Serves `main` on another address, too: its requests and upgrades are handed to `main`.
 * @returns the extra server, or undefined when the address is taken or does not exist here
 */
export function listenAlso(
  main: MainServer,
  address: { host: string; port: number },
): Promise<Server | undefined> {
  const extra = createExtraServer(main, (request, response) =>
    main.server.emit('request', request, response),
  );
  extra.on('upgrade', (request, socket, head) =>
    main.server.emit('upgrade', request, socket, head),
  );
  return new Promise((resolve) => {
    extra.once('error', () => resolve(undefined));
    extra.listen(address, () => resolve(extra));
  });
}
