import type { Cancel } from '@leque/core';
import type { Random } from '@leque/testkit';
import type { Redis } from 'ioredis';
import { CONNECT_TIMEOUT_MS } from '../../src/connection/redis-connection.ts';
import type { Lane, Scheduler, SimulatedProcess } from './scheduler.ts';
import type { ServerSocket, SimulatedRedis } from './simulated-redis.ts';

/** The values of redis-connection.ts. */
const COMMAND_TIMEOUT_MS = 3000;
const DISCONNECT_TIMEOUT_MS = 200;
const MAX_RETRY_MS = 1000;

export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly redis: SimulatedRedis;
}

interface Pending {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly cancel: Cancel;
}

type Listener = (...args: never[]) => void;

/**
 * A connection to the simulated Redis. It behaves like ioredis with the options of this package:
 * commands and messages keep their order, nothing is queued while Redis is away, and it reconnects.
 */
export class SimulatedConnection {
  readonly options = { host: '127.0.0.1', port: 6379 };
  status: 'wait' | 'connecting' | 'ready' | 'disconnecting' | 'reconnecting' | 'end' = 'wait';
  /** Looks corked, so that nobody corks it. */
  readonly stream = { writableCorked: 1 };
  /** Whether the next message is lost, as it may be while a slot of a Redis Cluster moves. */
  dropsNext = false;
  readonly #around: Surroundings;
  readonly #process: SimulatedProcess;
  readonly #listeners = new Map<string, Listener[]>();
  #pending: Pending[] = [];
  #socket: ServerSocket | undefined;
  #attempts = 0;
  #cancelTimer: Cancel | undefined;

  constructor(around: Surroundings, process: SimulatedProcess) {
    this.#around = around;
    this.#process = process;
  }

  /** This connection as a client of ioredis; it has the members that this package uses. */
  get asRedis(): Redis {
    return this as unknown as Redis;
  }

  get frozen(): boolean {
    return this.#socket?.down.paused === true;
  }

  /** Whether Redis does not execute what comes on it; also while it is frozen. */
  get paused(): boolean {
    return this.#socket?.up.paused === true;
  }

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  once(event: string, listener: Listener): void {
    this.on(event, (...args) => {
      this.off(event, listener);
      listener(...args);
    });
  }

  off(event: string, listener: Listener): void {
    const others = (this.#listeners.get(event) ?? []).filter((each) => each !== listener);
    this.#listeners.set(event, others);
  }

  async connect(): Promise<void> {
    this.#connect();
  }

  ping(): Promise<unknown> {
    return this.#command(() => 'PONG');
  }

  subscribe(...channels: string[]): Promise<unknown> {
    return this.#command(({ subscriptions }) => {
      for (const channel of channels) subscriptions.add(channel);
      return channels.length;
    });
  }

  unsubscribe(...channels: string[]): Promise<unknown> {
    return this.#command(({ subscriptions }) => {
      for (const channel of channels) subscriptions.delete(channel);
      return channels.length;
    });
  }

  fcall(name: string, ...sent: [keys: 1, key: string, ...(string | number)[]]): Promise<unknown> {
    const [, key, ...args] = sent;
    return this.#command(() => this.#around.redis.call(name, key, args));
  }

  function(kind: 'LIST' | 'LOAD', ...args: string[]): Promise<unknown> {
    const { redis } = this.#around;
    return this.#command(() => (kind === 'LIST' ? redis.library() : redis.load(args.at(-1) ?? '')));
  }

  disconnect(reconnect = false): void {
    this.#cancelTimer?.();
    const wasReady = this.status === 'ready';
    this.status = reconnect ? 'disconnecting' : 'end';
    if (!reconnect) this.#drop();
    else if (wasReady) this.#endLater();
  }

  /** Breaks the connection; what is on its way to this end may still arrive. */
  cut(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#around.redis.sockets.delete(socket);
    socket.up.truncate(0);
    socket.down.truncate(this.#around.random.below(socket.down.length + 1));
    socket.down.push(() => this.#lost(socket));
  }

  /** Leaves the connection open and dead: nothing arrives any more, in either direction. */
  freeze(): void {
    if (this.#socket === undefined || this.status !== 'ready') return;
    for (const lane of lanesOf(this.#socket)) lane.paused = true;
  }

  /** Redis executes nothing that comes on this connection for a while, as with `CLIENT PAUSE`. */
  pause(ms: number): void {
    const up = this.#socket?.up;
    if (up === undefined || up.paused) return;
    up.paused = true;
    this.#process.after(ms, () => {
      up.paused = this.#socket?.up === up && this.frozen;
    });
  }

  /** Sends a command that Redis executes when it arrives. */
  #command(execute: (socket: ServerSocket) => unknown): Promise<unknown> {
    const socket = this.#socket;
    if (this.status !== 'ready' || socket === undefined) {
      const reason = "Stream isn't writeable and enableOfflineQueue options is false";
      return Promise.reject(new Error(reason));
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const late = () => reject(new Error('Command timed out'));
    const pending = { resolve, reject, cancel: this.#process.after(COMMAND_TIMEOUT_MS, late) };
    this.#pending.push(pending);
    socket.up.push(() => {
      const reply = execute(socket);
      socket.down.push(() => this.#settle(pending, reply));
    });
    return promise;
  }

  #endLater(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#around.redis.sockets.delete(socket);
    const close = () => this.#lost(socket);
    socket.down.push(close);
    this.#cancelTimer = this.#process.after(DISCONNECT_TIMEOUT_MS, close);
  }

  #connect(): void {
    this.status = 'connecting';
    this.#attempts += 1;
    const { redis, scheduler } = this.#around;
    const up = scheduler.openLane(undefined);
    const down = scheduler.openLane(this.#process);
    const receive = (channel: string, payload: Buffer) => {
      if (this.dropsNext && !channel.includes('node:')) {
        this.dropsNext = false;
        return;
      }
      const name = Buffer.from(channel);
      down.push(() => this.#emit('messageBuffer', name, payload));
    };
    const socket: ServerSocket = { up, down, subscriptions: new Set(), receive };
    this.#socket = socket;
    this.#cancelTimer = this.#process.after(CONNECT_TIMEOUT_MS, () => this.#lost(socket));
    up.push(() => {
      redis.sockets.add(socket);
      down.push(() => this.#ready());
    });
  }

  #ready(): void {
    this.#cancelTimer?.();
    this.#attempts = 0;
    this.status = 'ready';
    this.#emit('ready');
  }

  #lost(socket: ServerSocket): void {
    if (this.#socket !== socket || this.status === 'end') return;
    this.#drop();
    this.status = 'reconnecting';
    this.#emit('close');
    const delayMs = Math.min(MAX_RETRY_MS, 25 * 2 ** this.#attempts);
    const spread = 0.5 + this.#around.random.next() / 2;
    this.#cancelTimer = this.#process.after(delayMs * spread, () => this.#connect());
  }

  #drop(): void {
    const { redis, scheduler } = this.#around;
    this.#cancelTimer?.();
    const pending = this.#pending;
    this.#pending = [];
    for (const { reject, cancel } of pending) {
      cancel();
      reject(new Error('Connection is closed.'));
    }
    if (this.#socket === undefined) return;
    redis.sockets.delete(this.#socket);
    for (const lane of lanesOf(this.#socket)) scheduler.closeLane(lane);
    this.#socket = undefined;
  }

  #settle(pending: Pending, reply: unknown): void {
    const index = this.#pending.indexOf(pending);
    if (index < 0) return;
    this.#pending.splice(index, 1);
    pending.cancel();
    if (reply instanceof Error) pending.reject(reply);
    else pending.resolve(reply);
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(...(args as never[]));
  }
}

function lanesOf({ up, down }: ServerSocket): Lane[] {
  return [up, down];
}
