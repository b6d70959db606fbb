import type { Cancel, Clock } from '@leque/core';
import type { Random } from '@leque/testkit';

type Task = () => void;

interface Timer {
  readonly at: number;
  readonly task: Task;
  readonly owner: SimulatedProcess;
}

/** Speeds of lanes: some connections are slow for a whole run, which brings races to light. */
const WEIGHTS = [0.05, 0.5, 1, 1, 3];
const TIME_PASSES = 0.03;
/** The chance that two messages arrive together: the second precedes reactions to the first. */
const ONE_MORE_IN_THE_PIECE = 0.3;

/** Carries the messages of a connection in one direction: in their order, at any time. */
export class Lane {
  readonly owner: SimulatedProcess | undefined;
  readonly weight: number;
  paused = false;
  #items: Task[] = [];

  constructor(owner: SimulatedProcess | undefined, weight: number) {
    this.owner = owner;
    this.weight = weight;
  }

  get ready(): boolean {
    return !this.paused && this.#items.length > 0;
  }

  get length(): number {
    return this.#items.length;
  }

  push(task: Task): void {
    this.#items.push(task);
  }

  next(): Task | undefined {
    return this.#items.shift();
  }

  /** Loses all messages except the first `count`. */
  truncate(count: number): void {
    this.#items.length = Math.min(count, this.#items.length);
  }
}

/** One process: its timers, and the ends of its turns. */
export class SimulatedProcess implements Clock {
  readonly #scheduler: Scheduler;
  /** How readily its turns end. */
  readonly weight: number;
  deferred: Task[] = [];

  constructor(scheduler: Scheduler, weight: number) {
    this.#scheduler = scheduler;
    this.weight = weight;
  }

  get ready(): boolean {
    return this.deferred.length > 0;
  }

  now(): number {
    return this.#scheduler.now;
  }

  monotonic(): number {
    return this.#scheduler.now;
  }

  after(delayMs: number, task: Task): Cancel {
    const timer = { at: this.#scheduler.now + delayMs, task, owner: this };
    return this.#scheduler.addTimer(timer);
  }

  defer(task: Task): void {
    this.deferred.push(task);
  }

  /** Ends the process as `kill -9` does. */
  kill(): void {
    this.deferred = [];
    this.#scheduler.forget(this);
  }
}

/**
 * Decides what happens next where real systems leave it open: whose message comes first, whose turn
 * ends, whether time passes. Everything follows from the seed.
 */
export class Scheduler {
  /** The simulated time in milliseconds. */
  now = 1_000_000;
  /** Tasks that have run. */
  steps = 0;
  /** The process whose code runs. */
  current: SimulatedProcess | undefined;
  readonly #random: Random;
  #lanes: Lane[] = [];
  #timers: Timer[] = [];
  readonly #processes = new Set<SimulatedProcess>();

  constructor(random: Random) {
    this.#random = random;
  }

  startProcess(): SimulatedProcess {
    const started = new SimulatedProcess(this, this.#random.pick(WEIGHTS));
    this.#processes.add(started);
    return started;
  }

  /** @param owner the process that receives; undefined outside of the nodes */
  openLane(owner: SimulatedProcess | undefined): Lane {
    const lane = new Lane(owner, this.#random.pick(WEIGHTS));
    this.#lanes.push(lane);
    return lane;
  }

  closeLane(lane: Lane): void {
    this.#lanes = this.#lanes.filter((each) => each !== lane);
  }

  addTimer(timer: Timer): Cancel {
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  forget(process: SimulatedProcess): void {
    this.#processes.delete(process);
    this.#timers = this.#timers.filter(({ owner }) => owner !== process);
    this.#lanes = this.#lanes.filter(({ owner }) => owner !== process);
  }

  timersOf(process: SimulatedProcess): number {
    return this.#timers.filter(({ owner }) => owner === process).length;
  }

  /** Whether nothing is under way, so that only time can change anything. */
  get idle(): boolean {
    for (const lane of this.#lanes) if (lane.ready) return false;
    for (const { ready } of this.#processes) if (ready) return false;
    return true;
  }

  /** Runs one task, and everything that follows from it at once. */
  async step(): Promise<void> {
    if (this.#random.chance(TIME_PASSES) || !(await this.#happen())) await this.#letTimePass();
  }

  /** Steps until `isDone`; resolves to false when that takes longer than `withinMs`. */
  async runUntil(isDone: () => boolean, withinMs: number): Promise<boolean> {
    const until = this.now + withinMs;
    while (this.now < until) {
      if (this.idle && isDone()) return true;
      await this.step();
    }
    return this.idle && isDone();
  }

  /** Runs a task of a process, and everything that follows from it at once. */
  async run(owner: SimulatedProcess | undefined, task: Task): Promise<void> {
    this.#call(owner, task);
    await drained();
    this.current = undefined;
  }

  #call(owner: SimulatedProcess | undefined, task: Task): void {
    this.steps += 1;
    this.current = owner;
    task();
  }

  async #happen(): Promise<boolean> {
    const next = this.#pick();
    if (next instanceof Lane) await this.#deliver(next);
    else if (next !== undefined) await this.#endTurn(next);
    return next !== undefined;
  }

  #pick(): Lane | SimulatedProcess | undefined {
    const ready: (Lane | SimulatedProcess)[] = [];
    let total = 0;
    for (const each of [...this.#lanes, ...this.#processes]) {
      if (!each.ready) continue;
      ready.push(each);
      total += each.weight;
    }
    let at = this.#random.next() * total;
    return ready.find(({ weight }) => {
      at -= weight;
      return at < 0;
    });
  }

  async #deliver(lane: Lane): Promise<void> {
    do {
      const task = lane.next();
      if (task !== undefined) this.#call(lane.owner, task);
    } while (lane.ready && this.#random.chance(ONE_MORE_IN_THE_PIECE));
    await drained();
    this.current = undefined;
  }

  /** Runs all deferred tasks; what they defer is for the next turn. */
  async #endTurn(process: SimulatedProcess): Promise<void> {
    const { deferred } = process;
    process.deferred = [];
    for (const task of deferred) await this.run(process, task);
  }

  async #letTimePass(): Promise<void> {
    let [next] = this.#timers;
    for (const timer of this.#timers) if (next !== undefined && timer.at < next.at) next = timer;
    if (next === undefined) {
      this.now += 1;
      return;
    }
    this.#timers.splice(this.#timers.indexOf(next), 1);
    this.now = Math.max(this.now, next.at);
    await this.run(next.owner, next.task);
  }
}

/** Settles after all reactions of settled promises, because these run before ticks. */
function drained(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
