import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileNative } from './compile-native.ts';
import { type GeneratorSpec, writeSpec } from './generator-spec.ts';
import { LineProcess } from './line-process.ts';

export type {
  ChannelClass,
  GeneratorSpec,
  Member,
} from './generator-spec.ts';

/** The generator's own deadlines are shorter, so that its message, which gives the reason, wins. */
const READY_DEADLINE_MS = 75_000;
const SETTLING_DEADLINE_MS = 45_000;
const SLACK_MS = 15_000;

/** The result of connecting. */
export interface Ready {
  readonly connections: number;
  readonly failed: number;
  /** Attempts that were refused and repeated. */
  readonly refused: number;
  readonly seconds: number;
  /** Reason of the first failure. */
  readonly reason?: string;
}

export interface RunPlan {
  /** Duration of the measured part. */
  readonly seconds: number;
  /** Duration of the warm-up before it, at the same rates. */
  readonly warmupSeconds: number;
  /** Publications per second for each class; 0 for none. */
  readonly rates: readonly number[];
}

export interface ClassResult {
  readonly class: number;
  /** Publications over the whole run. */
  readonly published: number;
  /** Deliveries to fully parsed connections, over the whole run. */
  readonly delivered: number;
  /**
   * Latencies of the deliveries due in the measured part, on fully parsed connections: ascending
   * upper bounds in µs with the number of latencies up to each bound and above the previous one.
   */
  readonly histogram: readonly (readonly [bound: number, count: number])[];
}

/** Counts are over the whole run, warm-up included, unless it says otherwise. */
export interface RunResult {
  readonly published: number;
  readonly acked: number;
  readonly publishErrors: number;
  /** The longest time from when a publication was due until it was written. */
  readonly publishLateUsMax: number;
  readonly expected: number;
  /** Deliveries without duplicates. */
  readonly delivered: number;
  /** Between `started` and `stopped`. */
  readonly deliveredMeasured: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly reordered: number;
  /** Deliveries of an earlier run, or on connections that did not subscribe to them. */
  readonly strays: number;
  /** Connections that closed after they were ready, without stalled ones. */
  readonly closed: number;
  readonly stalledClosed: number;
  readonly seconds: number;
  /** From the end of the measurement until the last delivery. */
  readonly settleMs: number;
  readonly bytes: number;
  readonly classes: readonly ClassResult[];
}

export interface HoldResult {
  /** Connections that closed after they were ready. */
  readonly closed: number;
  /** Frames received while holding. */
  readonly frames: number;
}

/** A process with many clients and a publisher, which takes one command at a time. */
export interface Generator extends AsyncDisposable {
  readonly pid: number;
  readonly ready: Ready;
  /** Publishes at the rates; resolves once everything has arrived or arrivals have stopped. */
  run(plan: RunPlan, onStarted?: () => void, onStopped?: () => void): Promise<RunResult>;
  /** Only keeps the connections alive. */
  hold(seconds: number): Promise<HoldResult>;
}

/**
 * Starts the load generator. Resolves once all members are connected and ready, or have failed.
 * @throws StartError where the generator cannot be compiled
 */
export async function startGenerator(spec: GeneratorSpec): Promise<Generator> {
  const executable = await compileNative('load');
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'leque-generator-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const child = stack.use(new LineProcess(executable, [await writeSpec(spec, folder)]));
  const ready = await child.next<Ready>('ready', READY_DEADLINE_MS);
  return generator(child, ready, stack.move());
}

function generator(child: LineProcess, ready: Ready, owned: AsyncDisposableStack): Generator {
  return {
    pid: child.pid,
    ready,
    async run({ seconds, warmupSeconds, rates }, onStarted, onStopped) {
      child.send(`run ${seconds} ${warmupSeconds} ${rates.join(',')}`);
      await child.next('started', warmupSeconds * 1000 + SLACK_MS);
      onStarted?.();
      await child.next('stopped', seconds * 1000 + SLACK_MS);
      onStopped?.();
      return child.next<RunResult>('result', SETTLING_DEADLINE_MS);
    },
    hold(seconds) {
      child.send(`hold ${seconds}`);
      return child.next<HoldResult>('held', seconds * 1000 + SLACK_MS);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
