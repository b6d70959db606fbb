import type { RunningServer } from '@leque/service';

/** Lets a server say in the terminal that it has stopped. */
export function announceEnd({ failed, stopTimeoutMs, ...server }: RunningServer): RunningServer {
  return {
    ...(failed !== undefined && { failed }),
    ...(stopTimeoutMs !== undefined && { stopTimeoutMs }),
    async stop() {
      await server.stop();
      console.log('Leque has stopped.');
    },
  };
}
