import { Random } from '@leque/testkit';
import type { Cancel, Clock } from '../src/lib/clock.ts';
import type { Connection } from '../src/ports/connection.ts';
import type { Frame, FrameFormat } from '../src/publication/publication.ts';
import { FanOutCounters } from '../src/writing/fan-out-counters.ts';
import { Flusher, QUANTUM, type TurnTask } from '../src/writing/flusher.ts';
import { Outbox } from '../src/writing/outbox.ts';
import type { Pace } from '../src/writing/pace.ts';

/** A load, and what a write costs on the machine. */
export interface Load {
  readonly sockets: number;
  /** Each socket is in one of them. */
  readonly channels: number;
  /** Publications in a second, in all channels together. */
  readonly rate: number;
  /** Time that one write takes, in µs. */
  readonly writeUs: number;
}

/** Processor time for a publication, for offering it to a socket, and for each one in a write. */
const PUBLICATION_US = 3;
export const OFFER_US = 0.05;
const CARRIED_US = 0.03;
/** Single writes cost up to so much more or less. */
const NOISE = 0.5;
/** Now and then the process stands still, as in a garbage collection. */
const PAUSE_EVERY_MS = 400;
export const PAUSE_MS = 12;
/** Longer than it takes to write to all sockets. */
const ALONE_MS = 500;
const OUTBOX_BYTES = 1_000_000_000;
const NONE: Load = { sockets: 0, channels: 1, rate: 0, writeUs: 0 };

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** Some publications, the oldest of them published at `at`. */
interface PlantFrame extends Frame {
  readonly at: number;
}

/**
 * A process in simulated time, with a real flusher and real outboxes. Time passes by what it does:
 * publications come at random moments, and those that come meanwhile are found by its next turn.
 */
export class Plant implements Clock {
  /** Since `startCounting`, the shortest and the longest time from a publication to a write. */
  shortestMs = Number.POSITIVE_INFINITY;
  longestMs = 0;
  #busyMs = 0;
  #published = 0;
  #countedFrom = 0;
  readonly #seed: number;
  readonly #noise: Random;
  /** The same publications come after each change, whatever came before. */
  #arrivals: Random;
  readonly #flusher: Flusher;
  #nowMs = 0;
  #timers: Timer[] = [];
  #deferred: (() => void)[] = [];
  #load = NONE;
  #channels: PlantChannel[] = [];
  #nextAt = Number.POSITIVE_INFINITY;
  #pauseAt = PAUSE_EVERY_MS;

  constructor(pace: Pace, seed: number) {
    this.#seed = seed;
    this.#noise = new Random(seed);
    this.#arrivals = new Random(seed);
    this.#flusher = new Flusher(this, pace, new FanOutCounters().sliceSeconds);
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  /** Timers are late by as much as those of Node, which know whole milliseconds only. */
  after(delayMs: number, task: () => void): Cancel {
    const timer = { at: this.#nowMs + Math.max(1, Math.ceil(delayMs)), task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  /** From now on there are these sockets and publications only. */
  change(load: Load): void {
    this.#load = load;
    this.#arrivals = new Random(this.#seed);
    this.#channels = Array.from({ length: load.channels }, (_, index) => {
      const sockets = Math.floor((load.sockets + index) / load.channels);
      return new PlantChannel(this, this.#flusher, sockets);
    });
    this.#nextAt = this.#nowMs + this.#gapMs();
  }

  /** Ends the load, waits until nothing is left to do and `ms` longer, and publishes once more. */
  publishAloneAfter(ms: number): void {
    this.#nextAt = Number.POSITIVE_INFINITY;
    while (this.#deferred.length + this.#timers.length > 0) this.run(1);
    this.run(ms);
    this.startCounting();
    this.#publish(this.#channels[0], this.#nowMs);
    this.run(ALONE_MS);
  }

  run(ms: number): void {
    const end = this.#nowMs + ms;
    while (this.#nowMs < end) this.#turn(end);
  }

  startCounting(): void {
    this.#busyMs = 0;
    this.#published = 0;
    this.#countedFrom = this.#nowMs;
    this.shortestMs = Number.POSITIVE_INFINITY;
    this.longestMs = 0;
  }

  /** Share of the counted time in which the process was busy. */
  get load(): number {
    return this.#busyMs / (this.#nowMs - this.#countedFrom);
  }

  /** Busy time for each publication, in ms. */
  get costMs(): number {
    return this.#busyMs / this.#published;
  }

  spend(us: number): void {
    this.#nowMs += us / 1000;
    this.#busyMs += us / 1000;
  }

  write(frame: PlantFrame, messages: number): void {
    const noise = 1 + NOISE * (2 * this.#noise.next() - 1);
    this.spend(this.#load.writeUs * noise + CARRIED_US * messages);
    const tookMs = this.#nowMs - frame.at;
    this.shortestMs = Math.min(this.shortestMs, tookMs);
    this.longestMs = Math.max(this.longestMs, tookMs);
  }

  #turn(end: number): void {
    if (this.#deferred.length === 0) this.#sleep(end);
    this.#pause();
    this.#runTimers();
    this.#receive();
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const task of deferred) task();
  }

  #sleep(end: number): void {
    const timerAt = this.#timers.reduce((at, timer) => Math.min(at, timer.at), end);
    this.#nowMs = Math.max(this.#nowMs, Math.min(timerAt, this.#nextAt));
  }

  #pause(): void {
    if (this.#nowMs < this.#pauseAt) return;
    this.#nowMs += PAUSE_MS;
    this.#pauseAt = this.#nowMs + PAUSE_EVERY_MS;
  }

  #runTimers(): void {
    const due = this.#timers.filter(({ at }) => at <= this.#nowMs);
    if (due.length === 0) return;
    this.#timers = this.#timers.filter(({ at }) => at > this.#nowMs);
    for (const { task } of due) task();
  }

  #receive(): void {
    const now = this.#nowMs; // what comes during this is for the next turn
    while (this.#nextAt <= now) {
      const index = Math.floor(this.#arrivals.next() * this.#channels.length);
      this.#publish(this.#channels[index], this.#nextAt);
      this.#nextAt += this.#gapMs();
    }
  }

  #publish(channel: PlantChannel | undefined, at: number): void {
    this.#published += 1;
    this.spend(PUBLICATION_US);
    channel?.publish(at);
  }

  /** Time to the next publication, exponentially distributed. */
  #gapMs(): number {
    return (-Math.log(1 - this.#arrivals.next()) * 1000) / this.#load.rate;
  }
}

/** Does what a local channel does: one batch of what came, offered to each socket once. */
class PlantChannel implements TurnTask {
  readonly #plant: Plant;
  readonly #flusher: Flusher;
  readonly #outboxes: readonly Outbox[];
  #messages = 0;
  #oldestAt = 0;

  constructor(plant: Plant, flusher: Flusher, sockets: number) {
    this.#plant = plant;
    this.#flusher = flusher;
    const counters = new FanOutCounters();
    const connection = new PlantConnection(plant);
    this.#outboxes = Array.from(
      { length: sockets },
      () => new Outbox(connection, OUTBOX_BYTES, counters),
    );
  }

  publish(at: number): void {
    if (this.#messages === 0) {
      this.#oldestAt = at;
      this.#flusher.atEndOfTurn(this);
    }
    this.#messages += 1;
  }

  endTurn(): void {
    const frame: PlantFrame = { byteLength: this.#messages, at: this.#oldestAt };
    this.#messages = 0;
    let offered = 0;
    for (const outbox of this.#outboxes) {
      this.#plant.spend(OFFER_US);
      outbox.push(frame, frame.byteLength, 0);
      this.#flusher.touch(outbox);
      offered += 1;
      if (offered % QUANTUM === 0) this.#flusher.endQuantum();
    }
    this.#flusher.endGroup();
  }
}

/** All sockets of a channel: only the time that writes take matters. */
class PlantConnection implements Connection {
  readonly format = new PlantFormat();
  readonly bufferedBytes = 0;
  readonly #plant: Plant;

  constructor(plant: Plant) {
    this.#plant = plant;
  }

  write(frame: PlantFrame): void {
    this.#plant.write(frame, frame.byteLength);
  }

  close(): void {}
}

/** Here a publication has the size of one byte. */
class PlantFormat implements FrameFormat {
  readonly transport = 'plant';

  encodePublication(): PlantFrame {
    return { byteLength: 1, at: 0 };
  }

  encodeResync(): PlantFrame {
    return { byteLength: 1, at: 0 };
  }

  encodeDropped(): PlantFrame {
    return { byteLength: 1, at: 0 };
  }

  join(frames: readonly PlantFrame[]): PlantFrame {
    let byteLength = 0;
    for (const frame of frames) byteLength += frame.byteLength;
    return { byteLength, at: frames[0]?.at ?? 0 };
  }
}
