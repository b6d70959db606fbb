import { setTimeout as delay } from 'node:timers/promises';
import { residentKb, runsOnNode } from './process-usage.ts';

const PRELOAD = new URL('./collect-garbage.mjs', import.meta.url).href;
const LOOK_MS = 500;
/** Memory is steady when it changes by less than this share between consecutive looks. */
const STEADY_SHARE = 0.002;
const STEADY_LOOKS = 3;
const MAX_LOOKS = 20;
const PEAK_LOOK_MS = 250;

/** Environment that makes a Node server collect its garbage on `collectGarbage`. */
export const COLLECTING_SERVER = { NODE_OPTIONS: `--import=${PRELOAD}` } as const;

/** Makes Node servers with `COLLECTING_SERVER` collect their garbage; ignores other processes. */
export function collectGarbage(pids: readonly number[]): void {
  for (const pid of pids) if (runsOnNode(pid)) process.kill(pid, 'SIGUSR2');
}

/** Resident memory in KB once it is steady, or after ten seconds. */
export async function steadyResidentKb(
  pids: readonly number[],
  signal: AbortSignal,
): Promise<number | undefined> {
  let kb = residentKb(pids);
  let steady = 0;
  for (let look = 0; look < MAX_LOOKS && steady < STEADY_LOOKS; look += 1) {
    await delay(LOOK_MS, undefined, { signal });
    const now = residentKb(pids);
    if (now === undefined || kb === undefined) return now;
    steady = Math.abs(now - kb) <= kb * STEADY_SHARE ? steady + 1 : 0;
    kb = now;
  }
  return kb;
}

/** Samples the peak resident memory of processes. */
export class PeakMemory implements Disposable {
  readonly #pids: readonly number[];
  readonly #timer: NodeJS.Timeout;
  #kb: number | undefined;

  constructor(pids: readonly number[]) {
    this.#pids = pids;
    this.#timer = setInterval(() => this.#look(), PEAK_LOOK_MS);
    this.#look();
  }

  get kb(): number | undefined {
    this.#look();
    return this.#kb;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = residentKb(this.#pids);
    if (now !== undefined) this.#kb = Math.max(this.#kb ?? 0, now);
  }
}
