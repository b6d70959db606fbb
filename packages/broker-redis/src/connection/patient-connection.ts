import { type Cancel, every, systemClock } from '@leque/core';
import { Redis, type RedisOptions } from 'ioredis';
import { COMMAND_DEADLINE_MS, withDeadline } from '../lib/deadline.ts';
import { PING_MS, PINGS_UNTIL_RECONNECT } from './redis-connection.ts';
import { isReply } from './redis-errors.ts';

const ignore = () => {};

/**
 * Waits for its server however long that takes, and proves that it is alive. What becomes of its
 * commands is looked at by nobody: the connections of the broker report the same failures.
 */
export class PatientConnection extends Redis {
  readonly #cancels: Cancel[] = [];
  #missedPings = 0;
  /** It is to be made anew once it is there. */
  #outdated = false;

  constructor(...target: [url: string, options: RedisOptions] | [options: RedisOptions]) {
    super(...(target as [RedisOptions]));
    this.on('error', ignore);
    this.on('close', () => {
      this.#outdated = false;
    });
    this.on('ready', () => {
      if (this.#outdated) this.disconnect(true);
    });
    this.#cancels.push(every(systemClock, PING_MS, () => void this.#ping()));
  }

  /** Goes to whichever server the address leads to now; one that is being made goes there after. */
  leave(): void {
    if (this.status === 'ready') this.disconnect(true);
    else if (this.status.startsWith('connect')) this.#outdated = true;
  }

  /** What is to end with it. */
  onClosed(cancel: Cancel): void {
    this.#cancels.push(cancel);
  }

  /** One that waits for its next attempt never says that it has ended. */
  override disconnect(reconnect = false): void {
    if (!reconnect) for (const cancel of this.#cancels) cancel();
    super.disconnect(reconnect);
  }

  /** Socket.IO's adapter looks at no outcome, and a failure that nobody looks at ends the process. */
  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    return unwatched(super.sendCommand(...args));
  }

  /** A connection can be open and dead, also before it is greeted: nothing but silence tells. */
  async #ping(): Promise<void> {
    const { status } = this;
    if (status === 'ready' && (await this.#answers())) this.#missedPings = 0;
    else if (status === 'ready' || status === 'connect') this.#missedPings += 1;
    if (this.#missedPings < PINGS_UNTIL_RECONNECT) return;
    this.#missedPings = 0;
    this.disconnect(true);
  }

  async #answers(): Promise<boolean> {
    try {
      await withDeadline(this.ping(), COMMAND_DEADLINE_MS, 'PING');
      return true;
    } catch (error) {
      return isReply(error); // a refusal is an answer
    }
  }
}

export function unwatched(sent: unknown): unknown {
  if (sent instanceof Promise) sent.catch(ignore);
  return sent;
}
