import { type Cancel, systemClock } from '@leque/core';
import type { Cluster, Redis } from 'ioredis';
import { Liveness } from './liveness.ts';

/** Failures are reported by the connections of the broker, which has the same servers. */
const ignoreFailure = () => {};

/** A client that queues its commands for as long as its server is away, and proves that it is alive. */
export class RetryingConnection {
  readonly redis: Redis;
  readonly #liveness: Liveness;
  readonly #cancels: Cancel[] = [];

  /** @param redis a new client, with `maxRetriesPerRequest: null` */
  constructor(redis: Redis) {
    this.redis = handleFailures(redis);
    this.#liveness = new Liveness(redis, { clock: systemClock });
    this.#liveness.startPinging();
  }

  /** Reconnects to the current master; an attempt in progress is redone when it completes. */
  leave(): void {
    this.#liveness.leave('another server is the master now');
  }

  /** Calls `cancel` when the connection is closed. */
  onClose(cancel: Cancel): void {
    this.#cancels.push(cancel);
  }

  close(): void {
    this.#liveness.stop();
    for (const cancel of this.#cancels) cancel();
    this.redis.disconnect();
  }
}

/**
 * Handles the failures of a client and of all its commands. Socket.IO's adapter does not look at
 * their outcome, and Node ends a process that leaves a rejection unhandled.
 */
export function handleFailures<Client extends Redis | Cluster>(client: Client): Client {
  client.on('error', ignoreFailure);
  const sendCommand = client.sendCommand.bind(client);
  client.sendCommand = (...args: Parameters<Redis['sendCommand']>) => {
    const sent = sendCommand(...args);
    if (sent instanceof Promise) sent.catch(ignoreFailure);
    return sent;
  };
  return client;
}
