import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Histogram } from '../results/histogram.ts';
import { compileNative } from './compile-native.ts';
import { toRecords } from './generator-spec.ts';
import { LineProcess } from './line-process.ts';

/** Allowance for the start of the program and for the last answers. */
const SLACK_MS = 20_000;

export interface HttpLoad {
  /** host:port */
  readonly address: string;
  readonly connections: number;
  /** Requests per second; 0 sends the next request on each connection after the last answer. */
  readonly rate: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Whole HTTP requests, sent in turn. */
  readonly requests: readonly Buffer[];
  /** Occurs in an answer once for each event that was stored. */
  readonly storedText: string;
}

/** Called at the start and at the end of the measured part. */
export interface Marks {
  onStarted(): void;
  onStopped(): void;
}

/** The result of an HTTP load. */
export interface HttpLoadResult {
  /** Answered requests, over the whole run. */
  readonly requests: number;
  readonly stored: number;
  /** Requests answered with a failure. */
  readonly failed: number;
  /** 1 when answers were missing at the deadline, else 0. */
  readonly unanswered: number;
  /** Requests answered, and events stored, in the measured part. */
  readonly measuredRequests: number;
  readonly measuredStored: number;
  /** The longest delay of a request behind its schedule. */
  readonly lateUsMax: number;
  readonly seconds: number;
  /** The first line of the first failure's answer; empty without failures. */
  readonly failure: string;
  readonly histogram: Histogram;
}

/** @throws Error with the reason when the load ends early */
export async function runHttpLoad(load: HttpLoad, marks: Marks): Promise<HttpLoadResult> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'leque-http-load-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'requests');
  await writeFile(file, toRecords(load.requests));
  const executable = await compileNative('http_load');
  const running = stack.use(new LineProcess(executable, argumentsOf(load, file)));
  await running.next('started', load.warmupSeconds * 1000 + SLACK_MS);
  marks.onStarted();
  await running.next('stopped', load.seconds * 1000 + SLACK_MS);
  marks.onStopped();
  return await running.next<HttpLoadResult>('result', SLACK_MS); // before it is disposed of
}

function argumentsOf(load: HttpLoad, file: string): string[] {
  const { address, connections, rate, seconds, warmupSeconds, storedText } = load;
  return [address, connections, rate, seconds, warmupSeconds, file, storedText].map(String);
}
